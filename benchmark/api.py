"""The functions for notebooks and scripts: train one network, or run a whole experiment."""

from __future__ import annotations

import multiprocessing
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmark.errors import UsageError
from benchmark.experiments.experiment import Experiment
from benchmark.experiments.registry import get_experiment
from benchmark.records.schema import Measurement
from benchmark.tasks.loading import check_network, load_data
from benchmark.tasks.recipe import check_recipe
from benchmark.tasks.registry import TASKS, get_task
from benchmark.tasks.task import Task
from methods.core.base import Method
from methods.core.plugins import loaded
from methods.core.registry import check_value, parse
from methods.core.spec import name_of


@dataclass(frozen=True)
class Trained:
    """The measurement of one training run, and its curves and layers as plain data."""

    measurement: Measurement  # accuracies in percent, density, compression, losses, seconds and more
    curves: list[tuple[int, str, float]]  # epoch, metric, value; epoch 0 is before training
    layers: list[tuple[str, int, int]]  # name, weights that are left, all weights


def train_once(
    task: str | Task,
    method: str | Method,
    value: float = 1.0,
    *,
    seed: int = 0,
    epochs: int | None = None,
    learning_rate: float | None = None,
    precision: str = "float32",
    device: str = "cpu",
    data: Path | str = "data",
    synthetic: bool = False,
) -> Trained:
    """Train one network with one method and return its measurement; no file is written.

    Task and method are written forms, as in `train_once("lenet300-digits", "dwf[depth=3]", 5.0)`, or objects of your
    own. `value` is the value of the method's knob; methods without a knob take 1. Epochs and learning rate come from
    the task's recipe unless they are given. `data` is the folder of data sets; with `synthetic`, random images take the
    place of the data set. Raises UsageError or MethodError for bad input.
    """
    from benchmark.training.devices import check_device, numerics
    from benchmark.training.loop import train

    recipe = get_task(task) if isinstance(task, str) else task
    chosen = parse(method) if isinstance(method, str) else method
    if not isinstance(recipe, Task):
        raise UsageError(f"the task is {recipe!r}; give a written form, or a Task")
    if not isinstance(chosen, Method):
        raise UsageError(f"the method is {chosen!r}; give a written form, or an instance such as Dense()")
    check_recipe("the task", recipe)
    check_value(chosen, value)
    if epochs is not None and epochs < 1:
        raise UsageError(f"epochs must be a whole number >= 1, not {epochs}")
    if precision not in ("float32", "bf16"):
        raise UsageError(f"precision is float32 or bf16, not {precision!r}")
    check_device(device)
    check_network(recipe)
    loaded = recipe.synthetic_data() if synthetic else load_data(recipe, Path(data).expanduser())
    budget, peak_lr = epochs or recipe.epochs, learning_rate or recipe.learning_rate_of(chosen)
    with numerics():
        (result,) = train(recipe, chosen, [value], [seed], budget, peak_lr, loaded.to(device), precision)
    return Trained(result.measured, result.curves, result.layers)


def run_experiment(
    experiment: str | Experiment,
    *,
    name: str | None = None,
    results: Path | str = "results",
    data: Path | str = "data",
    device: str = "cpu",
    workers: int = 1,
    keep_networks: bool = False,
    quiet: bool = False,
) -> Path:
    """Compute the runs of an experiment that are not finished yet and return its folder, for `plots.load`.

    The experiment is a registered one, by name, or an `Experiment` of your own with a `name` for its folder. It is the
    same as `sparsefront run`: an interrupted call goes on from the last checkpoint when it is called again. A script
    that asks for more than one worker needs `if __name__ == "__main__":`, since workers import the script. They load
    the plugins of this process, too, but have no methods and tasks that a notebook defines.
    Raises UsageError or MethodError for bad input.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # Python's own mark of that import
        raise SystemExit("error: workers import this script; call run_experiment under `if __name__ == '__main__':`")
    from benchmark.deployment.storage import check_can_store
    from benchmark.engines.settings import Settings
    from benchmark.sweep.sweep import sweep
    from benchmark.training.devices import check_device

    if isinstance(experiment, str):
        name, experiment = name or experiment, get_experiment(experiment)
    if name is None:
        raise UsageError("an experiment of your own needs a name for its folder: run_experiment(..., name='mine')")
    if workers < 1:
        raise UsageError(f"workers must be a whole number >= 1, not {workers}")
    runs = experiment.runs()
    check_device(device)
    folder = Path(results).expanduser() / name
    if keep_networks:
        check_can_store()
    if workers > 1:
        _check_importable(experiment)
    settings = Settings(device, Path(data).expanduser(), loaded(), keep_networks=keep_networks)
    console = Console(markup=False, quiet=quiet)
    extra, several = experiment.extra_outputs, bool(experiment.budgets)
    sweep(name, runs, folder, settings, workers, console, extra_outputs=extra, several_budgets=several)
    return folder


def _check_importable(experiment: Experiment) -> None:
    """Raise UsageError for a method or task of a notebook, which worker processes cannot import."""
    if hasattr(sys.modules["__main__"], "__file__"):
        return
    owners: dict[str, object] = {form: type(parse(form)) for form in experiment.methods}
    owners |= {form: TASKS.get(name_of(form)) for form in experiment.tasks}
    for form, owner in owners.items():
        if getattr(owner, "__module__", "") == "__main__":
            raise UsageError(
                f"worker processes cannot import {form}, which this notebook defines; write it to a file and give the "
                "file to load_plugin, or take workers=1"
            )
