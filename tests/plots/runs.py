"""Made-up runs for the tests of plots: a CSV as `benchmark` writes it, small enough to be computed by hand."""

from dataclasses import astuple, replace
from pathlib import Path

from benchmark.records.schema import COLUMNS, Row, hash_fields
from benchmark.records.table import append

PRUNABLE = 1000
FAMILIES = {"dwf": "factorization", "snip": "before training", "random": "before training", "rigl": "dynamic"}


def run(
    method: str, value: float, seed: int, nonzeros: int, val: float | None, test: float | None, **other: object
) -> Row:
    """One row; without accuracies it is a run that diverged."""
    row = Row(
        key=hash_fields(method=method, value=value, seed=seed),
        experiment="made-up",
        task="toy",
        method=method,
        label=method,
        family=FAMILIES.get(method.partition("[")[0], ""),
        depth=None,
        options="",
        knob="density",
        value=value,
        penalty=None,
        seed=seed,
        learning_rate=0.1,
        other_learning_rate=0.1,
        epochs=40,
        steps=100,
        batch_size=32,
        pack=1,
        prunable=PRUNABLE,
        nonzeros=nonzeros,
        density=nonzeros / PRUNABLE,
        compression=PRUNABLE / nonzeros if nonzeros else None,
        val_accuracy=val,
        test_accuracy=test,
        status="diverged" if test is None else "ok",
    )
    return replace(row, **other)


def pair(
    method: str, value: float, nonzeros: int, val: tuple[float, float], test: tuple[float, float], **other: object
) -> list[Row]:
    """The same value with two seeds."""
    return [run(method, value, seed, nonzeros, val[seed], test[seed], **other) for seed in (0, 1)]


# Dense: 91 on validation, 92 on test. What follows from these rows is worked out in the tests.
GOLDEN = [
    *pair("dense", 1, 1000, (90, 92), (91, 93)),
    *pair("snip", 0.5, 500, (90, 90), (89, 91), val_loss=0.3),
    *pair("snip", 0.2, 200, (85, 85), (99, 99)),  # best on test, beaten on validation by the next
    *pair("snip", 0.1, 100, (89, 91), (88, 90), val_loss=0.4),
    *pair("snip", 0.05, 50, (80, 84), (95, 95)),
    run("snip", 0.01, 0, 10, None, None),
    run("snip", 0.01, 1, 10, 50, 52),
    run("dwf[depth=3]", 1, 0, 100, 90.5, 90),  # mean density 0.2: CR 5, not the mean of 10 and 3.3
    run("dwf[depth=3]", 1, 1, 300, 90.5, 92),
    *pair("dwf[depth=3]", 5, 0, (10, 10), (10, 10)),  # nothing left
    run("random", 0.5, 0, 500, None, None),
]


def write(folder: Path, rows: list[Row] = GOLDEN) -> Path:
    """Write rows to <folder>/runs.csv and return the folder."""
    append(folder / "runs.csv", COLUMNS, [astuple(row) for row in rows])
    return folder
