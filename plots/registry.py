"""The register of figures: each names the experiments that it is drawn for.

This module imports no plotting library, so a plugin that registers a figure also loads where only runs are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import UsageError

if TYPE_CHECKING:
    from pandas import DataFrame

    Draw = Callable[[Path, DataFrame, Path], list[Path]]
    Choose = Callable[[DataFrame], DataFrame]


# Experiments that compare families of methods on several seeds.
COMPARISONS = ("families", "families-mnist", "families-grid", "families-grid-mnist", "mnist1d")


@dataclass(frozen=True)
class RegisteredFigure:
    """A function that draws, and when `sparsefront report` calls it."""

    draw: Draw
    experiments: tuple[str, ...]
    replaces_front: bool  # the report draws no front figures of these experiments
    choose: (
        Choose | None
    )  # returns the runs that front and table show, if the experiment compares learning rates or budgets

    def files(self, folder: Path, runs: DataFrame, figures: Path) -> list[Path]:
        """Draw, and return the files; raise UsageError unless the function returns a list of files that it wrote."""
        name, written = self.draw.__name__, self.draw(folder, runs, figures)
        if not isinstance(written, list | tuple) or not all(isinstance(path, str | Path) for path in written):
            raise UsageError(f"the figure {name} returns {written!r}, and no list of the files that it wrote")
        for path in map(Path, written):
            if not path.is_file():
                raise UsageError(f"the figure {name} returns {path}, which it did not write")
        return [Path(path) for path in written]


FIGURES: list[RegisteredFigure] = []


def figure(
    experiments: Collection[str], *, replaces_front: bool = False, choose: Choose | None = None
) -> Callable[[Draw], Draw]:
    """Register `draw(folder, runs, figures)` for the named experiments.

    `folder` is the experiment's results folder, `runs` the table that `plots.load` returns, and `figures` the folder
    that the function writes its files to; it returns their paths. If an experiment compares learning rates or
    budgets, `choose` takes the runs at all of them and returns those that front and leaderboard show, as
    `plots.at_chosen` does. Raises UsageError unless `experiments` are several names.
    """
    if isinstance(experiments, str) or not isinstance(experiments, Collection):
        raise UsageError(f"@figure takes a tuple of experiments, as in experiments=('position',), not {experiments!r}")

    def decorate(draw: Draw) -> Draw:
        FIGURES.append(RegisteredFigure(draw, tuple(experiments), replaces_front, choose))
        return draw

    return decorate


def figures_of(experiments: Collection[str]) -> list[RegisteredFigure]:
    """Return the figures of the named experiments, in the order of their registration."""
    return [registered for registered in FIGURES if not set(registered.experiments).isdisjoint(experiments)]
