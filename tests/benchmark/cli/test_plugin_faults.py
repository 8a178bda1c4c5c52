"""A plugin's fault outside of a run is one sentence that names its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import sparsefront

PLUGIN = """
import sys
from dataclasses import dataclass

from benchmark import Experiment, experiment, task
from methods import register
from methods.random import Random


@task
def raising(): raise ValueError("not made\\nyet")


@task
def leaving(): sys.exit(0)


@task
def empty(): pass


@experiment
def nothing(): pass


@experiment
def one_string(): return Experiment(tasks="lenet300-digits", methods=("dense",), values={})


@register("dividing", knob="density")
@dataclass
class Dividing(Random):
    def __post_init__(self): 1 / 0


@register("unphased", knob="density")
@dataclass
class Unphased(Random):
    def phases_at(self, value): return None
"""


def told_of(
    code: str, command: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> tuple[str, str]:
    """Return the one line that a command says of a plugin with some code, and the path of the plugin."""
    plugin = folder / "mine.py"
    plugin.write_text(code)
    assert sparsefront(monkeypatch, *command.split(), "--plugin", str(plugin)) == 2
    told = capfd.readouterr().err
    assert told.count("\n") == 1
    return told, str(plugin)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("plan raising", "ValueError: not made yet (PLUGIN, line 11)"),
        ("show raising", "ValueError: not made yet (PLUGIN, line 11)"),
        ("list tasks", "SystemExit: 0 (PLUGIN, line 15)"),
        ("plan leaving", "SystemExit: 0 (PLUGIN, line 15)"),
        ("plan empty", "the function of task empty returns NoneType, and no Task"),
        ("run nothing", "the function of experiment nothing returns NoneType, and no Experiment"),
        ("show one-string", "a tuple of tasks, as in tasks=(first, second), not 'lenet300-digits'"),
        ("plan quickstart --methods dividing --values 0.1", "ZeroDivisionError: division by zero (PLUGIN, line 33)"),
        ("plan quickstart --methods unphased --values 0.1", "the phases of unphased must be a tuple"),
    ],
)
def test_a_fault_of_a_plugin_is_one_sentence(
    arguments: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    told, plugin = told_of(PLUGIN, arguments, tmp_path, monkeypatch, capfd)
    assert said.replace("PLUGIN", plugin) in told


def test_an_experiment_that_takes_parameters_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code = "from benchmark import experiment\n\n\n@experiment\ndef wide(width): pass\n"
    told, plugin = told_of(code, "list experiments", tmp_path, monkeypatch, capfd)
    assert f"experiment 'wide' takes parameters, and no experiment has options ({plugin}, line " in told


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise BaseException('x')", "does not load: BaseException: x (PLUGIN, line 1)"),
        ("from methods import register\nregister('a[b', knob='none')", "holds a bracket"),
        ("from methods import register\nregister(' ', knob='none')", "is empty"),
        (
            "from dataclasses import dataclass\nfrom methods import register\n\n\n"
            "@register('bare', knob='none')\n@dataclass\nclass Bare:\n    pass",
            "method 'bare' is no Method; derive its class from Masked or Method",
        ),
        ("from methods.core.registry import register_alias\nregister_alias('loop', 'loop')", "there is no such method"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_one_sentence(
    code: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    told, plugin = told_of(code, "list methods", tmp_path, monkeypatch, capfd)
    assert said.replace("PLUGIN", plugin) in told
