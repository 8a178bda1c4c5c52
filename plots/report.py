"""The report of an experiment: its figures and its leaderboard."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import pandas

import plots.figures  # noqa: F401  (its files register the figures)
from benchmark.errors import UsageError
from plots.answers import Answers, correct
from plots.figures.attainments import attainment_differences
from plots.figures.fronts import draw
from plots.files import write_text
from plots.leaderboards import Leaderboards, leaderboards, markdown
from plots.registry import RegisteredFigure, figures_of
from plots.results import AT_SETTING, SETTINGS, VALUE, loaded, measured, rows
from plots.selection import board_table, select
from plots.statistics.mcnemar import resolution_notes
from plots.statistics.write import write_statistics
from plots.style import file_name, paper_style, save
from plots.thresholds import Threshold


@dataclass(frozen=True)
class Report:
    """The files that a report wrote, the runs that its fronts and its leaderboard show, and the leaderboard.

    `mixed` are the methods that a figure with `choose` should choose a learning rate for, see `mixed_rates`.
    """

    paths: list[Path]
    runs: pandas.DataFrame
    boards: Leaderboards
    mixed: list[str]


def shown_runs(
    folder: Path, threshold: Threshold | None = None, stale: Set[str] = frozenset(), effective: bool = False
) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    """Return all runs of a folder, and those that fronts and leaderboard show; the arguments are those of `report`.

    The two differ if the experiment compares learning rates or budgets. Raises UsageError if the results cannot be
    read.
    """
    return shown(rows(folder), folder, threshold, stale, effective)


def shown(
    table: pandas.DataFrame, folder: Path, threshold: Threshold | None, stale: Set[str], effective: bool
) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    """Return what `shown_runs` returns, from the rows of the folder."""
    choose = next((registered.choose for registered in _figures(table) if registered.choose), None)
    runs = loaded(table, folder, threshold, AT_SETTING if choose else VALUE, stale, effective)
    return runs, choose(runs) if choose else runs


def _figures(table: pandas.DataFrame) -> list[RegisteredFigure]:
    return figures_of({name.removesuffix("-smoke") for name in table["experiment"].unique()})


def mixed_rates(table: pandas.DataFrame) -> list[str]:
    """Return the methods with runs that differ in nothing but the learning rate, unless a figure chooses among them.

    Fronts show the run that finished last of each, so one line may mix learning rates.
    """
    if any(registered.choose for registered in _figures(table)):
        return []
    rates = table.groupby([*VALUE, *(name for name in SETTINGS if name != "learning_rate"), "seed"], dropna=False)
    several = rates["learning_rate"].nunique() > 1
    return sorted(several[several].index.get_level_values("method").unique())


def report_for_paper(folder: Path, stale: Set[str] = frozenset()) -> list[Path]:
    """Draw the figures of `report` for half a column of a paper, to <folder>/figures/paper, and return their paths.

    Raises UsageError as `report` does.
    """
    table = rows(folder)
    own = _figures(table)
    frame, runs = shown(table, folder, None, stale, False)
    figures = folder / "figures" / "paper"
    try:
        with paper_style():
            return _draw(own, folder, frame, runs, figures, "")
    except OSError as error:
        raise UsageError(f"{error.filename or folder} cannot be read or written: {error.strerror}") from error


def report(
    folder: Path,
    threshold: Threshold | None = None,
    stale: Set[str] = frozenset(),
    effective: bool = False,
    methods: Sequence[str] | None = None,
    tasks: Sequence[str] | None = None,
) -> Report:
    """Draw the fronts and the experiment's own figures to <folder>/figures, and write its leaderboard and statistics.

    With a `threshold`, or "validated", smaller weights of penalty runs count as zero, see `plots.load`; with
    `effective`, only weights on a path from an input to an output count. The files' names contain what was asked. Only
    fronts and leaderboard are written then, since layers and curves were not counted so. The rows whose keys are in
    `stale` are marked as stale. With `methods` or `tasks`, fronts and leaderboard show these alone, see
    `plots.selection.select`; of two methods the difference of their attainment is drawn.

    Raises UsageError if the results cannot be read, before any file is written, or if the folder cannot be written, or
    if both are asked for.
    """
    if effective and threshold is not None:
        raise UsageError("effective weights were not counted at other thresholds; ask for one of the two")
    table = rows(folder)
    own = _figures(table)
    frame, runs = shown(table, folder, threshold, stale, effective)
    suffix = "-effective" if effective else ""
    if threshold is not None:
        suffix = f"-threshold-{threshold if threshold == 'validated' else format(threshold, 'g')}"
    chosen = methods is not None or tasks is not None
    if chosen:
        runs, suffix = select(runs, methods, tasks), f"{suffix}-selected"
    board = folder / f"leaderboard{suffix}.md"
    bits = correct(folder)
    boards = leaderboards(runs)
    text = board_text(folder, boards, runs, bits)
    try:
        paths = _draw([] if chosen else own, folder, frame, runs, folder / "figures", suffix)
        paths += _differences(runs, folder / "figures", suffix) if chosen else []
        if not suffix:
            paths += write_statistics(folder, runs, bits)
        write_text(board, text)
    except OSError as error:
        raise UsageError(f"{error.filename or folder} cannot be read or written: {error.strerror}") from error
    mixed = [method for method in mixed_rates(table) if method in set(runs["method"])]
    return Report([*paths, board], runs, boards, mixed)


def board_text(folder: Path, boards: Leaderboards, runs: pandas.DataFrame, bits: Answers) -> str:
    """Return the text of a folder's leaderboard; `bits` is that of `plots.correct`."""
    return markdown(boards, folder.resolve().name) + resolution_notes(runs, bits)


def boards(
    folders: Sequence[Path],
    threshold: Threshold | None,
    effective: bool,
    methods: Sequence[str] | None,
    tasks: Sequence[str] | None,
    form: str,
) -> str:
    """Return the numbers of the leaderboards of several folders as CSV or JSON."""
    parts = []
    for folder in folders:
        parts.append(board_table(select(shown_runs(folder, threshold, effective=effective)[1], methods, tasks)))
        parts[-1].insert(0, "experiment", folder.resolve().name)
    table = pandas.concat(parts, ignore_index=True)
    if form == "csv":
        return str(table.to_csv(index=False, float_format="%.6g", lineterminator="\n")).rstrip("\n")
    return str(table.to_json(orient="records", double_precision=6, indent=1))


def _differences(runs: pandas.DataFrame, figures: Path, suffix: str) -> list[Path]:
    """Draw the difference of attainment on each task with runs of just two methods, besides dense."""
    written: list[Path] = []
    for task, own in runs[runs["method"] != "dense"].groupby("task"):
        pair = list(dict.fromkeys(measured(own)["method"]))
        if len(pair) == 2:
            written += save(attainment_differences(own, *pair), figures / file_name(f"attainment-{task}{suffix}"))
    return written


def _draw(
    own: list[RegisteredFigure],
    folder: Path,
    frame: pandas.DataFrame,
    runs: pandas.DataFrame,
    figures: Path,
    suffix: str,
) -> list[Path]:
    """Draw all figures, the fronts first; without a suffix also those of the experiment."""
    paths: list[Path] = []
    fronts: list[Path] = []
    figures.mkdir(parents=True, exist_ok=True)
    try:
        for registered in own if not suffix else ():
            paths += registered.files(folder, frame, figures)
        if not any(registered.replaces_front for registered in own):
            for task in sorted(runs["task"].unique()):
                fronts += draw(runs, task, figures / file_name(f"front-{task}{suffix}"))
    finally:
        if not any(figures.iterdir()):
            figures.rmdir()  # an experiment may have no figure
    return [*fronts, *paths]
