"""Recipes train each method at the learning rate that the published searches chose."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.experiments.registry import EXPERIMENTS
from benchmark.tasks import learning_rates
from benchmark.tasks.learning_rates import searched
from benchmark.tasks.registry import TASKS, get_task
from methods.core.registry import METHODS, parse
from tests.builders import ROOT, toy_task

# The learning rates that recipes had when every published row was measured; methods that are not named had 0.1. The
# rates of dwf were searched for its version 1, which had equal rates; with matched rates it has one of its own.
DWF = {"dwf": 0.4, "dwf[depth=1]": 0.1}
FASHION = {
    **DWF,
    **{"dwf[rates=equal]": 0.2, "dwf[depth=2,rates=equal]": 0.8, "dwf[depth=3,rates=equal]": 0.8},
    **{"powerprop": 0.4, "str": 0.4},
    **dict.fromkeys(("gmp", "ham", "imp", "l1", "magnitude", "prox-lq", "rigl", "snip", "synflow"), 0.2),
    **dict.fromkeys(("magnitude-init", "random", "set"), 0.8),
}
DIGITS = {**DWF, "dense": 0.2, "ham": 0.1, "dwf[rates=equal]": 0.2, "magnitude": 0.2, "random": 0.4}
LENET5 = {
    **DWF,
    **{"dwf": 0.2, "dwf[rates=equal]": 0.4, "dwf[depth=2,rates=equal]": 0.8, "random": 0.4, "snip": 0.2},
    **{"magnitude": 0.05, "magnitude[finetune=0]": 0.1},
}
EVERY = sorted(
    {
        *METHODS,
        *(f"dwf[depth={depth}{more}]" for depth in range(1, 11) for more in ("", ",init=ones", ",threshold=0.0001")),
        *(f"dwf[depth={depth},rates=equal]" for depth in range(2, 11)),
        *(method for experiment in EXPERIMENTS.values() for method in experiment().methods),
        *("shallow", "shallow[threshold=0.001]", "magnitude[finetune=0.01]", "random[distribution=balanced]"),
        *(
            "imp[rounds=1,rewind=rate]",
            "gmp[distribution=uniform]",
            "snip[batches=3]",
            "dwf[by=penalty]",
            "ham[mask=acdc]",
        ),
        *("imp[rounds=3]", "ham[mask=snip]", "control[mask=dwf[depth=2]]", "control[mask=control[mask=gmp]]"),
    }
)


@pytest.mark.parametrize(
    ("task", "before"),
    [
        *((f"lenet300-{name}", FASHION) for name in ("fmnist", "mnist", "kmnist")),
        ("lenet300-digits", DIGITS),
        *((f"lenet5-{name}", LENET5) for name in ("fmnist", "mnist", "kmnist")),
    ],
)
def test_every_method_trains_at_the_learning_rate_of_the_published_rows(task: str, before: Mapping[str, float]) -> None:
    recipe = get_task(task)
    old = replace(recipe, learning_rates=before)
    expected = {form: old.learning_rate_of(parse(form)) for form in EVERY}
    assert {form: recipe.learning_rate_of(parse(form)) for form in EVERY} == expected


def test_the_later_search_counts_and_options_fall_back_to_the_smallest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_rates, "FOLDERS", (tmp_path / "missing", tmp_path))
    columns = ("task", "method", "learning_rate", "trials", "chosen")
    tables = {
        "first": [
            ("toy", "dwf[depth=2]", 0.4, 3, "true"),
            ("toy", "dwf[depth=4,threshold=0.001]", 0.3, 3, "true"),
            ("toy", "snip", 0.7, 3, "false"),
            ("other", "snip", 0.6, 3, "true"),
        ],
        "finer": [("toy", "dwf[depth=2]", 0.8, 9, "true")],
    }
    for name, rows in tables.items():
        (tmp_path / name).mkdir()
        with (tmp_path / name / "learning_rates.csv").open("w", newline="") as file:
            csv.writer(file).writerows([columns, *rows])
    chosen = searched("toy", "first", "finer")
    assert chosen == {"dwf[depth=2,rates=equal]": 0.8, "dwf[depth=4,rates=equal]": 0.3, "dwf[rates=equal]": 0.3}
    monkeypatch.setattr(learning_rates, "MATCHED", "finer")
    searched.cache_clear()
    assert searched("toy", "finer") == {"dwf[depth=2]": 0.8, "dwf": 0.8}
    recipe = toy_task(learning_rate=0.1, learning_rates=chosen)
    expected = {"dwf[depth=2,init=ones,rates=equal]": 0.8, "dwf[depth=4,rates=equal]": 0.3}
    expected |= {"dwf[depth=7,rates=equal]": 0.3, "dwf[depth=2]": 0.1, "snip": 0.1}
    assert {form: recipe.learning_rate_of(parse(form)) for form in expected} == expected


def test_an_installed_package_reads_the_tables_that_it_holds(tmp_path: Path) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    source = ROOT / settings["package-dir"]["benchmark.reference"]
    for package in ("benchmark", "methods"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for pattern in settings["package-data"]["benchmark.reference"]:
        for table in source.glob(pattern):
            target = tmp_path / "benchmark" / "reference" / table.relative_to(source)
            target.parent.mkdir(parents=True)
            shutil.copyfile(table, target)
    code = (
        "from benchmark.tasks import learning_rates as module; from benchmark.tasks.registry import TASKS, get_task;"
        "print(module.HERE); print([dict(get_task(name).learning_rates) for name in sorted(TASKS)])"
    )
    command = [sys.executable, "-c", code]
    printed = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert printed[0] == str(tmp_path.resolve() / "benchmark" / "tasks" / "learning_rates.py")
    assert printed[1] == str([dict(get_task(name).learning_rates) for name in sorted(TASKS)])
