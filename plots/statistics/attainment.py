"""Empirical attainment: the compressions and accuracies that the worst, the median and the best seed reach."""

from __future__ import annotations

import numpy
import pandas
from moocore import eaf, eafdiff
from numpy.typing import NDArray

from plots.metrics import task_metrics
from plots.results import ended, measured

SHARES = {"best": 0, "median": 50, "worst": 100}  # percent of the seeds that attain a point; 0: at least one
COLUMNS = ["task", "method", "n", "asked", "attained_by", "compression", "test_accuracy"]  # a score


def attainment_table(curves: pandas.DataFrame, runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the corners of each method's best, median and worst attainment surfaces, by rising compression.

    C. M. Fonseca & P. J. Fleming, 1996, by moocore.eaf. A seed attains a compression and an accuracy if one of its runs
    has at least both; its runs are those at the values of `plots.readings.seed_curves`, each at its own compression.
    n of the asked seeds have a run that was measured or diverged, and each of these attains chance at compression 1.
    The best surface is a best of n seeds, so it is no expectation.
    """
    rows = []
    asked = curves.groupby(["task", "method"])["asked"].max()
    for (task, method), sets in _sets(curves, runs).items():
        n = len(numpy.unique(sets[:, 2]))
        surfaces = eaf(-sets[:, :2], sets[:, 2], percentiles=list(SHARES.values()))
        for name, percent in SHARES.items():
            for compression, accuracy, _ in sorted((-surfaces[surfaces[:, 2] == percent]).tolist()):
                rows.append((task, method, n, asked[task, method], name, float(numpy.exp(compression)), accuracy))
    return pandas.DataFrame(rows, columns=COLUMNS)


def attainment_difference(
    curves: pandas.DataFrame, runs: pandas.DataFrame, task: str, first: str, second: str
) -> NDArray[numpy.float64]:
    """Return rectangles [n, 5]: lowest compression and accuracy, highest of both, and a difference from -1 to 1.

    An edge that has no end is 0 for compression and minus infinity for accuracy.

    The difference is the share of the seeds of the first method that attain the points of the rectangle minus that of
    the second, by moocore.eafdiff.
    """
    sets = _sets(curves, runs)
    a, b = sets[task, first], sets[task, second]
    n, m = (len(numpy.unique(own[:, 2])) for own in (a, b))
    if n != m:  # moocore counts seeds: with each set as often as the other method has seeds, the counts are comparable
        a, b = _repeated(a, m), _repeated(b, n)
    flip = numpy.array([-1, -1, 1])  # moocore draws rectangles for costs
    found = eafdiff(a * flip, b * flip, rectangles=True)
    corners = -found[:, [2, 3, 0, 1]]
    corners[:, ::2] = numpy.exp(corners[:, ::2])
    return numpy.column_stack([corners, found[:, 4] / (n if n == m else n * m)])


def _sets(curves: pandas.DataFrame, runs: pandas.DataFrame) -> dict[tuple[str, str], NDArray[numpy.float64]]:
    """Return points of log compression, accuracy and number of the seed, by task and method."""
    there, metrics = ended(runs).groupby(["task", "method"])["seed"].unique(), task_metrics(runs)
    members = measured(runs).merge(curves[["task", "method", "value"]].drop_duplicates())
    members = members[members["density"] > 0]
    sets = {}
    for (task, method), own in members.groupby(["task", "method"]):
        chance, seeds = metrics[str(task)].chance, sorted(there[str(task), str(method)])
        places = own["seed"].map({seed: place for place, seed in enumerate(seeds)})
        points = numpy.column_stack([numpy.log(own["compression"]), own["test_accuracy"], places])
        nothing = [(0.0, chance, place) for place in range(len(seeds))]
        both = numpy.vstack([points, nothing]).astype(float)
        sets[str(task), str(method)] = both[both[:, 2].argsort(kind="stable")]  # moocore takes the seeds one by one
    return sets


def _repeated(points: NDArray[numpy.float64], times: int) -> NDArray[numpy.float64]:
    seeds = len(numpy.unique(points[:, 2]))
    return numpy.vstack([points + numpy.array([0, 0, seeds * copy]) for copy in range(times)])
