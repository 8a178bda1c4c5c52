"""Figures register themselves, those of a plugin included."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas
import pytest

from benchmark.errors import UsageError
from plots.registry import RegisteredFigure, figure
from plots.report import report
from plots.results import load
from tests.builders import ROOT, run, sparsefront, write

PLUGIN = """
from benchmark import Experiment, experiment
from plots import figure

@experiment
def my_own():
    "An experiment of a plugin."
    return Experiment(tasks=("toy",), methods=("dense",), values={})

@figure(("my-own",), replaces_front=True)
def draw(folder, runs, figures):
    path = figures / "mine.txt"
    path.write_text(f"{len(runs)} runs")
    return [path]
"""


def test_report_draws_the_figure_of_a_plugin_for_the_experiment_of_a_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my-own").mkdir()
    write(tmp_path / "my-own", [run("dense", 1, seed, 1000, 90, 91, experiment="my-own") for seed in (0, 1)])
    (tmp_path / "plugin.py").write_text(PLUGIN)
    options = ["--results", str(tmp_path), "--plugin", str(tmp_path / "plugin.py")]
    assert sparsefront(monkeypatch, "report", "my-own", *options) == 0
    assert (tmp_path / "my-own" / "figures" / "mine.txt").read_text() == "2 runs"
    assert not list((tmp_path / "my-own" / "figures").glob("front-*"))  # the figure replaces the front


def test_an_experiment_without_a_figure_of_its_own_has_a_front(tmp_path: Path) -> None:
    paths = report(write(tmp_path, [run("dense", 1, 0, 1000, 90, 91, experiment="nobody-knows")])).paths
    assert [path.name for path in paths] == ["front-toy.png", "front-toy.svg", "leaderboard.md"]


def test_a_plugin_that_registers_a_figure_needs_no_plotting_library_to_load() -> None:
    script = "import sys; from plots import figure; print({'pandas', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_old_option_cut_still_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    write(tmp_path / "mine", [run("dense", 1, 0, 1000, 90, 91)])
    assert len(load(str(tmp_path / "mine"))) == 1
    for option in ("--threshold", "--cut"):
        assert sparsefront(monkeypatch, "report", "mine", "--results", str(tmp_path), option, "0.001") == 2
        assert "holds no run of a penalty" in capsys.readouterr().err


def test_a_script_draws_though_a_notebook_names_a_backend_that_is_missing() -> None:
    environment = dict(os.environ, PYTHONPATH=str(ROOT), MPLBACKEND="module://matplotlib_nowhere.backend")
    script = "from plots import front; import matplotlib; print(matplotlib.get_backend())"
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout == "agg\n"


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "the figure drawn returns None, and no list of the files that it wrote"),
        (Path("mine.png"), r"returns .*mine.png'\), and no list"),
        ([3], r"returns \[3\], and no list"),
        ([Path("nowhere.png")], "the figure drawn returns nowhere.png, which it did not write"),
    ],
)
def test_a_figure_that_returns_something_else_than_its_files_is_one_sentence(
    returned: object, said: str, tmp_path: Path
) -> None:
    def drawn(*_: object) -> Any:
        return returned

    with pytest.raises(UsageError, match=said):
        RegisteredFigure(drawn, ("mine",), False, None).files(tmp_path, pandas.DataFrame(), tmp_path)


@pytest.mark.parametrize("experiments", ["quickstart", print])
def test_a_figure_names_a_tuple_of_experiments(experiments: Any) -> None:
    with pytest.raises(UsageError, match="@figure takes a tuple of experiments"):
        figure(experiments)
