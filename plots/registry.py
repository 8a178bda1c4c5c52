"""The register of figures: each names the experiments that it is drawn for.

This module imports no plotting library, so a plugin that registers a figure also loads where only runs are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame

    Draw = Callable[[Path, DataFrame, Path], list[Path]]


@dataclass(frozen=True)
class RegisteredFigure:
    """A function that draws, and when `sparsefront report` calls it."""

    draw: Draw
    experiments: tuple[str, ...]
    replaces_front: bool  # the report draws no front figures of these experiments
    compares_learning_rates: bool  # each of these experiments trains every method at several learning rates


FIGURES: list[RegisteredFigure] = []


def figure(
    experiments: Collection[str], *, replaces_front: bool = False, compares_learning_rates: bool = False
) -> Callable[[Draw], Draw]:
    """Register `draw(folder, runs, figures)` for the named experiments.

    `folder` is the experiment's results folder, `runs` the table that `plots.load` returns, and `figures` the folder
    that the function writes its files to; it returns their paths. If an experiment compares learning rates, its front
    and leaderboard show each method at the chosen learning rate, and `runs` holds the runs at all of them.
    """

    def decorate(draw: Draw) -> Draw:
        FIGURES.append(RegisteredFigure(draw, tuple(experiments), replaces_front, compares_learning_rates))
        return draw

    return decorate


def figures_of(experiments: Collection[str]) -> list[RegisteredFigure]:
    """Return the figures of the named experiments, in the order of their registration."""
    return [registered for registered in FIGURES if not set(registered.experiments).isdisjoint(experiments)]
