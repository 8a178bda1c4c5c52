"""The leaderboard: each method's accuracy at given compressions, and its compression near dense accuracy."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass

import numpy
import pandas

from plots.comparisons import NEAR, near_best, top_group
from plots.given import Runs
from plots.looks import names
from plots.metrics import Metric, chances, metric_of, metrics_of, named
from plots.readings import LEVELS, read_at, seed_curves
from plots.results import measured, of_task
from plots.statistics.tolerance import LOSSES, tolerance_table
from plots.summaries import budgets, disconnected, failed, processors, stale_methods, summary, thresholds

NONE = "\N{EN DASH}"
OLD = "(old)"  # marks a method with rows of another version of the code
LOW = (1.5, 2, 3)  # compressions of tables whose runs reach none of LEVELS


@dataclass(frozen=True)
class Leaderboards:
    """The leaderboards of all tasks of some runs, with their names of methods and the sentences around them."""

    tables: dict[str, pandas.DataFrame]  # by task, in order
    names: dict[str, dict[str, str]]  # by task and method
    headings: dict[str, str]
    footnote: str


def leaderboards(frame: pandas.DataFrame) -> Leaderboards:
    """Return the leaderboards that leaderboard.md and the terminal show; names mark the methods with old rows."""
    tables = {task: leaderboard(frame, task) for task in sorted(frame["task"].unique())}
    return Leaderboards(
        tables,
        {task: _names(frame, task, board.index) for task, board in tables.items()},
        {task: heading(frame, task) for task in tables},
        footnote(frame),
    )


def _names(frame: pandas.DataFrame, task: str, methods: pandas.Index) -> dict[str, str]:
    old = stale_methods(frame[frame["task"] == task])
    shown = names(frame[frame["method"].isin(methods)])
    return {method: f"{name} {OLD}" if method in old else name for method, name in shown.items()}


def leaderboard(runs: Runs, task: str | None = None) -> pandas.DataFrame:
    """Return the leaderboard of one task: one line for each method, best first; `**` marks the top group.

    Runs and task are as in `front`.
    """
    frame = of_task(runs, task)
    metric = metric_of(frame)
    curves = seed_curves(frame[frame["method"] != "dense"])
    levels: tuple[float, ...] = LEVELS if len(read_at(curves, LEVELS)) else LOW
    readings = read_at(curves, levels)
    reached = tolerance_table(curves, frame)

    def rank(method: str) -> tuple[float, ...]:
        own = reached[(reached["method"] == method) & (reached["loss"] == 2) & (reached["missed"] < reached["n"])]
        farthest = own["compression"].mean()
        means = [readings[(readings["method"] == method) & (readings["at"] == level)] for level in (50, 10)]
        # NaN, where there is no reading, comes last.
        return tuple(
            math.inf if numpy.isnan(x) else -x for x in (farthest, *(m["test_accuracy"].mean() for m in means))
        )

    methods = sorted(sorted(set(frame["method"]) - {"dense"}), key=rank)
    board = pandas.DataFrame(index=pandas.Index(methods, name="method"))
    for level in levels:
        own = {str(m): read for m, read in readings[readings["at"] == level].groupby("method")}
        samples = {method: read["test_accuracy"].tolist() for method, read in own.items()}
        best = max((float(numpy.mean(sample)) for sample in samples.values()), default=0.0)
        top = top_group(near_best(samples, metric.margin(NEAR, best)))
        texts = {m: f"**{_cell(read, metric)}**" if m in top else _cell(read, metric) for m, read in own.items()}
        board[f"CR {level:g}"] = [texts.get(method, NONE) for method in board.index]
    for loss in LOSSES:
        texts = {str(line["method"]): _reach_cell(line) for _, line in reached[reached["loss"] == loss].iterrows()}
        board[f"CR at -{loss:g}"] = [texts.get(method, NONE) for method in board.index]
    return board


def _cell(read: pandas.DataFrame, metric: Metric) -> str:
    """Write the mean of readings ± sample standard deviation (n); `~` marks a reading between values."""
    spread = f" ± {_spread(read['test_accuracy'].std(), metric)}" if len(read) > 1 else ""
    mean = metric.text(read["test_accuracy"].mean())
    return f"{'~' * bool(read['between'].any())}{mean}{spread} {_count(len(read), read['asked'].max())}"


def _spread(deviation: float, metric: Metric) -> str:
    return metric.text(metric.sign * deviation)


def _count(n: int, asked: int) -> str:
    """Write n seeds, and those that were asked for if they are more."""
    return f"({n})" if n == asked else f"({n}/{asked})"


def _reach_cell(line: pandas.Series) -> str:
    """Write a line of `tolerance_table`, as in `54.2 [50.1-58.6] (3)` with a dash that is as wide as an n."""
    if line["missed"] == line["n"]:
        return NONE
    low, mean, high = (_ratio(line[name]) for name in ("low", "compression", "high"))
    interval = "" if numpy.isnan(line["low"]) else f" [{low}{NONE}{high}]"
    return f"{'>' * bool(line['beyond'])}{mean}{interval} {_count(line['n'] - line['missed'], line['asked'])}"


def _ratio(compression: float) -> str:
    return f"{compression:.1f}" if compression < 100 else f"{compression:.0f}"


def accuracy(line: pandas.Series, metric: Metric) -> str:
    """Write mean test metric ± sample standard deviation (n) of a line of a summary; accuracy is in percent."""
    spread = f" ± {_spread(line['test_std'], metric)}" if line["n"] > 1 else ""
    return f"{metric.text(line['test_mean'])}{spread} {_count(line['n'], line['asked'])}"


def heading(frame: pandas.DataFrame, task: str) -> str:
    """Return the line above a task's table: the accuracy of dense."""
    asked = frame[(frame["task"] == task) & (frame["method"] == "dense")]
    dense = summary(measured(asked)).assign(asked=len(asked))  # without runs that diverged, as the reference of losses
    metric = metric_of(frame[frame["task"] == task])
    named = "" if metric.is_accuracy else f" {metric.name}"
    old = f" {OLD}" if stale_methods(asked) else ""
    return f"dense: {accuracy(dense.iloc[0], metric)}{named}{old}" if len(dense) else "dense: not measured"


def footnote(frame: pandas.DataFrame) -> str:
    """Explain how to read the tables."""
    effective = (frame["counted"] == "effective").any()
    metrics = metrics_of(frame)
    means = " or ".join("accuracy in percent" if metric.is_accuracy else metric.name for metric in metrics)
    values = named(frame)
    units = " or ".join(dict.fromkeys(metric.unit for metric in metrics))
    left = "effective weights, those on a path from an input to an output" if effective else "weights left"
    notes = [
        f"CR is prunable weights / {left}. A cell under `CR c` is the mean test {means} ± sample standard "
        "deviation (n seeds, or n/asked where some have no value there) at a CR of exactly c: a method's front has "
        f"at the CR of each of its values the result of the one best in mean validation {values} among those of this "
        "or a larger CR; it is linear in log CR, never goes beyond the last, and before the first, that one's "
        f"{values} counts. `~`: read more than 1 % away from every value. A run that diverged or kept no weight counts "
        f"as {chances(frame)}.",
        f"`CR at -k` is the CR at which the front falls k {units} below dense's mean test {values}: geometric mean "
        "over seeds with its 95 % interval (n seeds). A seed that starts below counts as CR 1 and not in n, as in 2/3; "
        "`>`: some seeds end before they fall, so this is a lower bound.",
        f"{NONE} means that the front does not reach so far.",
        "Bold: the top group, which Tukey's test cannot tell from the best at a family-wise 5 %, among the methods at "
        f"most 5 {units} below it.",
        f"Runs without a result: {failed(frame)} of {len(frame)}, in no mean unless they diverged.",
    ]
    for name in sorted({metric.name for metric in metrics if metric.sign < 0}):
        notes.append(f"Lower {name} is better; a front that is k % below dense has k % more of it.")
    notes += [f"{budgets(frame)}."] if budgets(frame) else []
    if stale_methods(frame):
        notes.append(f"{OLD}: another version of the method or the task computed rows of it, so today's may differ.")
    notes += [f"Counted as {thresholds(frame)}."] if thresholds(frame) else []
    if (frame["counted"] == "validated").any():
        notes.append(
            f"Validated: the run's largest threshold that costs no more validation {values} than the standard error of "
            "this cost."
        )
    if unconnected := disconnected(frame):
        notes.append(f"Weights on no path from an input to an output are more than 5 % of those left: {unconnected}.")
    if mixed := processors(frame):
        notes.append(
            f"Some means are over seeds of different processors, which do not agree bit by bit: {', '.join(mixed)}."
        )
    return " ".join(notes)


def markdown(boards: Leaderboards, experiment: str) -> str:
    """Return the text of leaderboard.md."""
    parts = [f"# {html.escape(experiment, quote=False)}"]
    for task, board in boards.tables.items():
        board = board.rename(index={method: f"`{_in_cell(name)}`" for method, name in boards.names[task].items()})
        parts += [
            f"## {html.escape(task, quote=False)}",
            boards.headings[task],
            board.to_markdown(disable_numparse=True),
        ]
    return "\n\n".join([*parts, boards.footnote]) + "\n"


def _in_cell(name: str) -> str:
    """Return a name with the two characters escaped that would end a cell or a piece of code in Markdown."""
    return name.replace("|", "\\|").replace("`", "'")
