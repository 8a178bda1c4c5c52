"""From an experiment's folder to its figures and its leaderboard."""

from collections.abc import Callable, Set
from pathlib import Path

import pandas

from benchmark.errors import UsageError
from benchmark.records.table import read
from plots.figures import dynamics, families, initialization, layers, learning_rate, misalignment
from plots.figures.fronts import draw
from plots.leaderboard import markdown, show
from plots.rates import at_chosen, write_rates
from plots.results import RATED, VALUE, load

# What an experiment has beside fronts and a leaderboard: from its folder and runs to files in its folder of figures.
OWN: dict[str, Callable[[Path, pandas.DataFrame, Path], list[Path]]] = {
    "learning-rate": learning_rate.draw,
    "learning-rate-digits": learning_rate.draw,
    "learning-rate-families": write_rates,
    "learning-rate-lenet5": write_rates,
    "families": families.draw,
    "families-mnist": families.draw,
    "init": initialization.draw,
    "dynamics": dynamics.draw,
    "layers": layers.draw,
    "misalignment": misalignment.draw,
}
# Where learning rates are compared.
SEARCHES = ("learning-rate", "learning-rate-digits", "learning-rate-families", "learning-rate-lenet5")
# Whose values are too few, or whose methods too many, for one figure of fronts to say anything.
FRONTLESS = ("families", "families-mnist", "init", "learning-rate-families", "learning-rate-lenet5", "misalignment")


def report(folder: Path, cut: float | None = None, stale: Set[str] = frozenset()) -> list[Path]:
    """Draw fronts and the experiment's own figures, write <folder>/leaderboard.md, print its tables; return the paths.

    Figures go to <folder>/figures, a front a task.

    With a `cut`, penalty runs count weights below it as zero, its value stands in the files' names, and fronts and
    leaderboard are all there is: layers and curves were not counted at that cut. Where learning rates are compared,
    fronts and leaderboard show each method at the rate that is chosen. Rows whose keys are `stale` are said to be so.

    Raises UsageError before any file is written where the results cannot be read, and where the folder cannot be
    written.
    """
    names = {row["experiment"].removesuffix("-smoke") for row in read(folder / "runs.csv")}
    compared = not names.isdisjoint(SEARCHES)
    frame = runs = load(folder, cut, RATED if compared else VALUE, stale)
    if compared:
        runs = at_chosen(frame)
    suffix = "" if cut is None else f"-cut-{cut:g}"
    board = folder / f"leaderboard{suffix}.md"
    text = markdown(runs, folder.resolve().name)
    figures = folder / "figures"
    try:
        figures.mkdir(exist_ok=True)
        own = [path for name in OWN if name in names and cut is None for path in OWN[name](folder, frame, figures)]
        tasks = sorted(runs["task"].unique()) if names.isdisjoint(FRONTLESS) else []
        fronts = [path for task in tasks for path in draw(runs, task, figures / f"front-{task}{suffix}")]
        board.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from error
    show(runs)
    return [*fronts, *own, board]
