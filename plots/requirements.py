"""The requirements of the checklist: one function each, whose docstring is the requirement."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import pandas

from plots.literature import compared, lost_levels, lost_orders
from plots.report import board_text
from plots.results import correct
from plots.summaries import budgets, summary

# Data sets that the paper calls too easy to compare methods on, and those of 100 classes or more.
TOYS = {"digits", "MNIST", "FashionMNIST", "KMNIST", "QMNIST", "EMNIST"}
MANY_CLASSES = {"CIFAR100", "TinyImageNet", "imagenet"}
POINTS, SEEDS, PAIRS, FALL = 5, 3, 3, 2.0  # least values of a knob, seeds, pairs, and points of accuracy below dense
PIPELINE = ["epochs", "batch_size", "precision", "optimizer", "momentum", "warmup", "augmentation", "task_version"]
PROVENANCE = ["version", "torch", "hardware", "optimizer"]


Verdict = tuple[bool | None, str]  # whether the requirement holds, None where it does not apply, and the reason


@dataclass(frozen=True)
class Results:
    """The runs of all folders in one table, those that were measured, and the runs by folder."""

    runs: pandas.DataFrame
    there: pandas.DataFrame
    by_folder: Mapping[Path, pandas.DataFrame]


def _structured(results: Results) -> Verdict:
    """Name network, data set and method of every run in columns of their own."""
    return _filled(results.there, ["task", "dataset", "method", "knob"])


def _pairs(results: Results) -> Verdict:
    """Compare on at least three pairs of network and data set that are no toys."""
    real = results.there[~results.there["dataset"].isin(TOYS) & (results.there["synthetic"] != "true")]
    pairs = sorted(set(real.loc[real["dataset"] != "", "base_task"]))
    toys = sorted(set(results.there["dataset"]) & TOYS)
    left_out = f"; toys: {', '.join(toys)}" if toys else ""
    return len(pairs) >= PAIRS, f"{len(pairs)} of {PAIRS}{': ' * bool(pairs)}{_some(pairs)}{left_out}"


def _two_axes(results: Results) -> Verdict:
    """Report compression and theoretical speed-up."""
    return _filled(_with_weights(results.there), ["compression", "theoretical_speedup"])


def _conventions(results: Results) -> Verdict:
    """Say whether compression counts prunable or all parameters, and count multiply-adds."""
    return _filled(_with_weights(results.there), ["prunable", "parameters", "total_compression", "macs_dense"])


def _top_five(results: Results) -> Verdict:
    """Report top-1 and top-5 accuracy where there are 100 classes or more."""
    counted = set(results.there.loc[results.there["test_top5"].notna(), "dataset"])
    many = results.there[results.there["dataset"].isin(MANY_CLASSES | counted)]
    return (None, "no data set has 100 classes") if many.empty else _filled(many, ["test_accuracy", "test_top5"])


def _control(results: Results) -> Verdict:
    """Measure the dense network by the same code, for every task and seed."""
    dense = results.there[results.there["method"] == "dense"]
    have = set(zip(dense["task"], dense["seed"], strict=True))
    asked = set(zip(results.there["task"], results.there["seed"], strict=True))
    lacking = [f"{task} seed {seed:g}" for task, seed in sorted(asked - have)]
    return not lacking, f"dense lacks {_some(lacking)}" if lacking else f"dense was measured for all {len(asked)} pairs"


def _curves(results: Results) -> Verdict:
    """Measure at least five compressions of every method, up to where accuracy falls."""
    lines = summary(results.runs)
    dense = lines[lines["method"] == "dense"].groupby("task")["test_mean"].mean()
    rows = lines[(lines["knob"] != "none") & numpy.isfinite(lines["compression"])]
    few, flat = [], []
    for (task, method), own in rows.groupby(["task", "method"]):
        few += [f"{method} on {task} has {len(own)}"] if len(own) < POINTS else []
        if not own.sort_values("compression")["test_mean"].iloc[-1] <= dense.get(task, numpy.nan) - FALL:
            flat.append(f"{method} on {task}")
    faults = [f"fewer than {POINTS}: {_some(few)}"] * bool(few)
    faults += [f"not seen to fall {FALL:g} points below dense at the end: {_some(flat)}"] * bool(flat)
    curves = rows.groupby(["task", "method"]).ngroups
    return not faults, "; ".join(faults) or f"all {curves} curves"


def _raw(results: Results) -> Verdict:
    """Report accuracy itself and not its change alone."""
    return _filled(results.runs[results.runs["status"] == "ok"], ["val_accuracy", "test_accuracy"])


def _spread(results: Results) -> Verdict:
    """Report mean and sample standard deviation over at least three seeds."""
    lines = summary(results.runs)
    few = lines[lines["n"] < SEEDS]
    cells = [f"{m} {v:g} has {n}" for m, v, n in few[["method", "value", "n"]].itertuples(index=False)]
    return not cells, f"{_some(cells)} of {len(lines)} points" if cells else f"at all {len(lines)} points"


def _pipeline(results: Results) -> Verdict:
    """Train all methods of a task with the same library, data and schedule; the learning rate is each method's own."""
    faults = []
    for task, own in results.there.groupby("task"):
        for name in [*PIPELINE, "data_hash", "torch"]:
            values = sorted({str(value).partition("+")[0] for value in own[name].dropna() if value != ""})
            faults += [f"{name} on {task} is {' or '.join(values)}"] if len(values) > 1 else []
    return not faults, _some(faults) or "one recipe, data set and version of torch for each task"


def _random(results: Results) -> Verdict:
    """Compare with random masks, over the whole network and with the same densities of layers."""
    return _each_task(
        results, {"random": results.there["method"] == "random", "shuffled": _named(results, "kind=shuffle")}
    )


def _magnitude(results: Results) -> Verdict:
    """Compare with magnitude pruning."""
    return _each_task(results, {"magnitude": results.there["method"].str.fullmatch(r"(?:magnitude|gmp|imp)(?:\[.*)?")})


def _kinds(results: Results) -> Verdict:
    """Compare methods of at least three families, and say where every number comes from."""
    families = sorted(set(results.there["family"]) - {"", "dense", "control"})
    unknown = int((results.there["commit"] == "").sum())
    own = f"; {unknown} rows name no commit" if unknown else "; all are runs of this suite, with their commit"
    return len(families) >= PAIRS and not unknown, f"{len(families)} families: {', '.join(families)}{own}"


def _budget(results: Results) -> Verdict:
    """Give every method the same number of training steps."""
    more = budgets(results.runs)
    return not more, more or "all took as many steps"


def _reproducible(results: Results) -> Verdict:
    """Record what a repetition needs: recipe, versions, hardware and data."""
    real = results.there[results.there["synthetic"] != "true"]
    lacking = [
        verdict for verdict in (_filled(results.there, PROVENANCE), _filled(real, ["data_hash"])) if not verdict[0]
    ]
    return not lacking, "; ".join(reason for _, reason in lacking) or f"in all {len(results.there)} runs"


def _results(results: Results) -> Verdict:
    """Keep commit and result of every run, and let every accuracy follow from the answers to single examples."""
    commits = results.there["commit"]
    dirty, wrong, checked = int((commits.str.endswith("-dirty") | (commits == "")).sum()), [], 0
    accuracy = results.there.set_index("key")["test_accuracy"]
    for folder in results.by_folder:
        for key, answers in correct(folder).items():
            if key in accuracy.index:
                checked += 1
                wrong += [key] if abs(100 * float(answers.mean()) - accuracy[key]) > 1e-4 else []
    density = results.there["nonzeros"] / results.there["prunable"]
    wrong += results.there.loc[(density - results.there["density"]).abs() > 1e-8, "key"].tolist()
    faults = [f"{dirty} runs have no commit or uncommitted changes"] * bool(dirty)
    faults += [f"accuracy or density does not follow from the counts in {_some(wrong)}"] * bool(wrong)
    faults += [f"{len(accuracy) - checked} runs keep no answers"] * (checked < len(accuracy))
    return not faults, "; ".join(faults) or f"{checked} accuracies follow from their answers"


def _claims(results: Results) -> Verdict:
    """Claim no more than was run: leaderboard.md says what the runs give."""
    boards = {folder: folder / "leaderboard.md" for folder in results.by_folder}
    written = {folder: board.read_text("utf-8") for folder, board in boards.items() if board.is_file()}
    if not written:
        return None, "there is no leaderboard.md"
    wrong = [
        str(folder)
        for folder, text in written.items()
        if text != board_text(folder, results.by_folder[folder], correct(folder))
    ]
    return not wrong, f"sparsefront report writes another one: {_some(wrong)}" if wrong else "recomputed, and the same"


def _levels(results: Results) -> Verdict:
    """Keep the accuracy that published methods keep against dense, to 1.5 points."""
    rows = compared(results.runs)
    rows = rows.dropna(subset=["points", "own_points"]) if len(rows) else rows
    if rows.empty:
        return None, "no published curve has such a task, method and compression"
    lost = lost_levels(rows)
    return not lost, _some(lost) or f"at all {len(rows)} published points, from {_some(sorted(set(rows['source'])))}"


def _orders(results: Results) -> Verdict:
    """Keep the order of published methods that are at least 3 points apart."""
    rows = compared(results.runs)
    if rows.empty or rows.groupby(["task", "source", "compression"]).size().max() < 2:
        return None, "no two methods of one published comparison were run"
    lost = lost_orders(rows)
    return not lost, _some(lost) or f"among {', '.join(sorted(set(rows['method'])))}"


ITEMS = (
    _structured, _pairs, _two_axes, _conventions, _top_five, _control, _curves, _raw, _spread, _pipeline, _random,
    _magnitude, _kinds, _budget, _reproducible, _results, _claims,
    _levels, _orders,
)  # fmt: skip


def _filled(rows: pandas.DataFrame, columns: Sequence[str]) -> Verdict:
    empty = {name: int((rows[name].isna() | (rows[name] == "")).sum()) for name in columns}
    faults = [f"{name} is empty in {count} of {len(rows)} runs" for name, count in empty.items() if count]
    return not faults, ", ".join(faults) or f"{', '.join(columns)} in all {len(rows)} runs"


def _with_weights(rows: pandas.DataFrame) -> pandas.DataFrame:
    return rows[rows["density"] > 0]


def _named(results: Results, text: str) -> pandas.Series:
    return results.there["method"].str.contains(text, regex=False)


def _each_task(results: Results, kinds: dict[str, pandas.Series]) -> Verdict:
    tasks = set(results.there["task"])
    lacking = [
        f"{kind} on {task}" for kind, own in kinds.items() for task in sorted(tasks - set(results.there["task"][own]))
    ]
    return not lacking, f"missing: {_some(lacking)}" if lacking else f"{' and '.join(kinds)} on every task"


def _some(texts: Collection[str], most: int = 4) -> str:
    """Join texts, and count those beyond the first few."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(list(texts)[:most]) + more
