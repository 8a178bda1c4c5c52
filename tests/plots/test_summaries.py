"""Summaries of runs: means over seeds, and the words of captions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas
import pytest

from plots.leaderboards import footnote
from plots.results import load
from plots.summaries import budgets, processors, seeds, stale, subtitle, summary, thresholds
from tests.builders import run, write


def test_the_summary_equals_the_one_worked_out_by_hand(tmp_path: Path) -> None:
    table = summary(load(write(tmp_path)))
    lines: dict[tuple[str, float], dict[Any, Any]] = {
        (line["method"], line["value"]): line for line in table.to_dict("records")
    }
    assert len(lines) == 8  # the only run of random diverged, so random has no line
    assert lines["dense", 1]["val_mean"] == 91
    assert lines["dense", 1]["test_std"] == pytest.approx(math.sqrt(2))  # n - 1
    spread = lines["dwf[depth=3]", 1]
    assert spread["density"] == pytest.approx(0.2)
    assert spread["compression"] == pytest.approx(5)
    assert (spread["compression_min"], spread["compression_max"]) == pytest.approx((10 / 3, 10))
    assert lines["dwf[depth=3]", 5]["compression"] == math.inf
    alone = lines["snip", 0.01]
    assert (alone["n"], alone["asked"], alone["missed"]) == (2, 2, 1)
    assert (alone["test_mean"], alone["val_mean"]) == (31, 30)  # the run that diverged counts at chance, 10 %
    assert alone["compression"] == pytest.approx(100)
    assert table["missed"].sum() == 3


@pytest.mark.parametrize(
    ("threshold", "text"),
    [(None, ""), (0, ""), (1.19e-7, ""), (1e-4, "zero: |w| < 0.0001")],
)
def test_a_threshold_that_is_not_the_default_is_named(tmp_path: Path, threshold: float | None, text: str) -> None:
    assert thresholds(load(write(tmp_path, [run("snip", 0.1, 0, 100, 80, 80, threshold=threshold)]))) == text


def test_two_thresholds_are_named_in_one_sentence(tmp_path: Path) -> None:
    rows = [run("snip", value, 0, 100, 80, 80, threshold=value) for value in (1e-3, 1e-4)]
    assert thresholds(load(write(tmp_path, rows))) == "zero: |w| < 0.0001 or 0.001"


def test_seeds_are_counted_in_words(tmp_path: Path) -> None:
    lines = summary(load(write(tmp_path)))
    assert seeds(lines) == "2 seeds"
    assert seeds(lines.assign(n=1, asked=1)) == "1 seed"
    assert seeds(lines.assign(n=[1, *lines["n"][1:]])) == "1 to 2 of 2 seeds"


def test_methods_that_took_more_steps_are_named(tmp_path: Path) -> None:
    rows = [run("dense", 1, 0, 1000, 90, 91), run("imp[rounds=3]", 0.1, 0, 100, 90, 91, steps=400)]
    assert budgets(load(write(tmp_path, rows))) == "imp[rounds=3] took 4 times the steps"
    rows += [run("imp", 0.1, 0, 100, 90, 91, steps=1200), run("imp", 0.5, 0, 500, 90, 91, steps=500)]
    several = "imp took 5 to 12 times the steps, imp[rounds=3] took 4 times the steps"
    (tmp_path / "several").mkdir()
    assert budgets(load(write(tmp_path / "several", rows))) == several
    (same := tmp_path / "same").mkdir()
    assert budgets(load(write(same))) == ""


def test_means_over_runs_of_different_processors_are_named(tmp_path: Path) -> None:
    def frame(name: str, *processors: tuple[str, str]) -> pandas.DataFrame:
        (folder := tmp_path / name).mkdir()
        rows = [
            run("snip", 0.1, seed, 100, 80, 80, hardware=model, cpu_capability=capability)
            for seed, (model, capability) in enumerate(processors)
        ]
        other = run("random", 0.1, 0, 100, 80, 80, hardware="Another", cpu_capability="AVX2")  # a mean of its own
        return load(write(folder, [*rows, other]))

    same = frame("same", ("EPYC", "AVX512"), ("EPYC", "AVX512"), ("EPYC", ""), ("", ""))
    assert processors(same) == [] and "processors" not in footnote(same) + subtitle(same, summary(same))
    models = frame("models", ("EPYC", "AVX512"), ("Xeon", "AVX512"))
    assert processors(models) == ["EPYC AVX512", "Xeon AVX512"]
    assert "EPYC AVX512, Xeon AVX512" in footnote(models)
    assert "several processors" in subtitle(models, summary(models))
    assert processors(frame("hidden", ("EPYC", "AVX512"), ("EPYC", "AVX2"))) == ["EPYC AVX2", "EPYC AVX512"]


def test_stale_methods_beyond_the_first_are_counted(tmp_path: Path) -> None:
    runs = load(write(tmp_path)).assign(stale=True)
    assert stale(runs) == "old rows of dense, dwf[depth=3], snip"
    assert stale(runs, 1) == "old rows of dense and 2 more methods"
