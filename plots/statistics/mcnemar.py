"""Differences between two runs, tested example by example, and the smallest that a test set can resolve."""

from __future__ import annotations

import numpy
import pandas
from numpy.typing import NDArray
from scipy import special

from plots.answers import Answers
from plots.results import measured

PART = 1000  # pairs whose answers are in memory at a time
COLUMNS = [
    *("task", "method", "value", "seed", "compression", "against", "against_value"),
    *("examples", "only_method", "only_against", "difference", "p"),
]


def p_value(first: int | NDArray[numpy.int_], second: int | NDArray[numpy.int_]) -> NDArray[numpy.float64]:
    """Return McNemar's exact two-sided p from the numbers of examples that one of two runs alone got right."""
    few, both = numpy.minimum(first, second), numpy.add(first, second)
    return numpy.minimum(1.0, 2 * special.betainc(both - few, few + 1, 0.5))  # the binomial distribution


def mcnemar_table(runs: pandas.DataFrame, bits: Answers, control: str) -> pandas.DataFrame:
    """Return one line for each run with bits and a run to compare it with: dense, and the control, of the same seed.

    The control's run is the one whose compression is within one percent. `only_method` counts the test examples that
    the run alone classifies correctly, `only_against` those of the other run, `difference` is in points. p is McNemar's
    exact two-sided p: how often two networks that are right equally often differ so much on such a test set. It speaks
    of two networks, not of two methods, and is not corrected for the number of lines.
    """
    there = measured(runs)[lambda own: own["key"].isin(bits)].reset_index(drop=True)
    # Tables of numbers alone, since each run meets all of the control's with its seed before the near ones are chosen.
    numbers = there[["compression"]].assign(group=there.groupby(["task", "seed"]).ngroup(), place=there.index)
    dense, controls = there["method"] == "dense", there["method"] == control
    pairs = numbers[~dense].merge(numbers[dense | controls], on="group", suffixes=("", "_against"))
    near = (pairs["compression_against"] / pairs["compression"] - 1).abs() <= 0.01
    first, second = pairs["place"].to_numpy(), pairs["place_against"].to_numpy()
    kept = dense.to_numpy()[second] | (near.to_numpy() & ~controls.to_numpy()[first])
    keys = there["key"].to_numpy(object)
    examples = numpy.array([bits.examples(key) for key in keys], dtype=int)
    kept &= examples[first] == examples[second]  # a later version of a task may have another test set
    first, second = first[kept], second[kept]
    examples = examples[first]
    won_alone, lost_alone = _alone(bits, keys[first], keys[second], examples)
    against = there.iloc[second].reset_index(drop=True)
    table = there.iloc[first].reset_index(drop=True).reindex(columns=COLUMNS)
    return table.assign(
        against=against["method"],
        against_value=against["value"],
        examples=examples,
        only_method=won_alone,
        only_against=lost_alone,
        difference=100 * (won_alone - lost_alone) / examples.astype(float),
        p=p_value(won_alone, lost_alone),
    )


def _alone(
    bits: Answers, first: NDArray[numpy.object_], second: NDArray[numpy.object_], examples: NDArray[numpy.int_]
) -> NDArray[numpy.int_]:
    """Return [2, pairs]: how many examples the first and the second run of each pair alone got right."""
    counts = numpy.zeros((2, len(first)), dtype=int)
    for same in numpy.unique(examples):
        places = numpy.flatnonzero(examples == same)
        for part in numpy.array_split(places, len(places) // PART + 1):
            ours, theirs = bits.packed(first[part]), bits.packed(second[part])
            counts[0, part] = numpy.bitwise_count(ours & ~theirs).sum(axis=1)
            counts[1, part] = numpy.bitwise_count(theirs & ~ours).sum(axis=1)
    return counts


def resolution_table(runs: pandas.DataFrame, bits: Answers) -> pandas.DataFrame:
    """Return one line for each test set with bits of two dense runs: the differences that it can resolve.

    `step` is one example in points, `standard_error` that of the accuracy of one dense network over test sets of this
    size, and `differing` the percent of examples on which two dense seeds disagree, as mean over pairs. `floor` is the
    smallest difference in points between two networks that disagree so often which McNemar's exact test finds at 5 %.
    """
    there = measured(runs[runs["method"] == "dense"])[lambda own: own["key"].isin(bits)]
    lines = []
    for (task, _), own in there.groupby(["task", there["key"].map(bits.examples)]):
        right = [bits[key] for key in own["key"]]
        n = len(right[0])
        if len(right) > 1:
            solved = numpy.sum(right, axis=0, dtype=int)  # the runs that are right, by example
            pairs = len(right) * (len(right) - 1) // 2
            differing = int((solved * (len(right) - solved)).sum()) / (pairs * n)
            share = own["test_accuracy"].mean() / 100
            counts = numpy.arange(round(differing * n) // 2 + 1)  # examples that the worse one alone gets right
            found = counts[p_value(counts, round(differing * n) - counts) < 0.05]
            floor = 100 * (round(differing * n) - 2 * found.max()) / n if len(found) else numpy.nan
            error = 100 * (share * (1 - share) / n) ** 0.5
            asked = runs.loc[(runs["task"] == task) & (runs["method"] == "dense"), "seed"].nunique()
            lines.append((task, n, len(right), asked, 100 / n, error, 100 * differing, floor))
    return pandas.DataFrame(
        lines, columns=["task", "examples", "dense_runs", "asked", "step", "standard_error", "differing", "floor"]
    )


def resolution_notes(runs: pandas.DataFrame, bits: Answers) -> str:
    """Return a paragraph for each line of `resolution_table`; nothing if there is none."""
    table = resolution_table(runs, bits)
    found = [
        f"a difference of {floor:.2f} points or more" if floor > 0 else "no difference" for floor in table["floor"]
    ]
    return "".join(
        f"\nTest set of {line.task}: {line.examples:,} examples, so one is {line.step:.2g} points, and the accuracy of "
        f"one network has a standard error of {line.standard_error:.2f} points. Two dense seeds disagree on "
        f"{line.differing:.1f} %; of two networks that disagree so often, McNemar's exact test finds "
        f"{difference} at 5 %.\n"
        for line, difference in zip(table.itertuples(), found, strict=True)
    )
