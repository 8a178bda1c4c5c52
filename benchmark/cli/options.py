"""The options that commands share: their names, types and help; and the loading of plugins."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from benchmark.errors import UsageError
from benchmark.experiments.registry import EXPERIMENTS
from benchmark.tasks.registry import TASKS
from methods.core.plugins import load_plugin
from methods.core.registry import ALIASES, METHODS


def path(text: str | Path) -> Path:
    """Return a path with the home folder in place of `~`, which no shell replaces in variables and in `--data=~/x`.

    Raises UsageError for an empty text, such as that of a variable that is not set, which would be this folder.
    """
    if not str(text):
        raise UsageError("a path is empty; does it come from a variable that is not set? This folder is `.`")
    return Path(os.path.expanduser(text))  # noqa: PTH111  (unlike Path's, it raises nothing where there is no home)


def starting(*registries: Mapping[str, Any]) -> Callable[[str], list[str]]:
    """Return the completion of a name, or of the last one in a list, from the names in some registries."""

    def complete(incomplete: str) -> list[str]:
        before, comma, start = incomplete.rpartition(",")
        names = sorted({name for registry in registries for name in registry if name.startswith(start)})
        return [f"{before}{comma}{name}" for name in names]

    return complete


def sweeps(context: typer.Context, incomplete: str) -> list[str]:
    """Return the completion of the name of a folder with results."""
    results = path(context.params.get("results") or "results")
    return sorted(found.parent.name for found in results.glob(f"{incomplete}*/runs.csv"))


Name = Annotated[
    str,
    typer.Argument(
        help="An experiment, see `sparsefront list experiments`, or a task for a grid on it alone.",
        autocompletion=starting(EXPERIMENTS, TASKS),
    ),
]
Anything = Annotated[
    str,
    typer.Argument(
        help="A method, task or experiment, also with options in brackets.",
        autocompletion=starting(METHODS, ALIASES, TASKS, EXPERIMENTS),
    ),
]
Tasks = Annotated[
    str | None,
    typer.Option(help="Tasks instead of the experiment's, separated by commas.", autocompletion=starting(TASKS)),
]
Methods = Annotated[
    str | None,
    typer.Option(help="Methods instead, as in 'dense,dwf[depth=4]'.", autocompletion=starting(METHODS, ALIASES)),
]
Values = Annotated[
    list[str] | None,
    typer.Option(
        help="Values of the knob instead, as in 0.1,0.01; with several knobs strength=5,10 and density=0.1; "
        "for one method snip=0.1."
    ),
]
Seeds = Annotated[str | None, typer.Option(help="Seeds instead, separated by commas.")]
Epochs = Annotated[int | None, typer.Option(help="Epochs instead of the experiment's or the recipe's.")]
LearningRate = Annotated[float | None, typer.Option(help="Peak learning rate of every method instead.")]
BatchSize = Annotated[int | None, typer.Option(help="Batch size instead of the recipe's.")]
WeightDecay = Annotated[float | None, typer.Option(help="Weight decay instead of the recipe's.")]
Precision = Annotated[
    Literal["float32", "bf16", "auto"] | None,
    typer.Option(help="bf16: autocast, float32 weights; auto: bf16 where the device has it."),
]
Tier = Annotated[Literal["full", "smoke"], typer.Option(help="smoke: synthetic data, two epochs, under NAME-smoke.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1 or mps.")]
Workers = Annotated[int | None, typer.Option(help="Packs at a time; by default one for each core or accelerator.")]
Engine = Annotated[Literal["local", "ray"], typer.Option(help="local: processes of this machine; ray: a cluster.")]
Address = Annotated[
    str | None,
    typer.Option(help="Address of the Ray cluster, as in auto or HOST:6379; by default one is started here."),
]
Pack = Annotated[
    int | None,
    typer.Option(help="Most runs trained together; by default 1 on a CPU, as many as fit into memory on CUDA."),
]
Timeout = Annotated[float, typer.Option(help="Seconds of training that a run may take.")]
Retry = Annotated[Literal["failed"] | None, typer.Option(help="failed: train the failed runs again.")]
KeepNetworks = Annotated[
    bool, typer.Option("--keep-networks", help="Save final networks as RESULTS/EXPERIMENT/networks/KEY.safetensors.")
]
Results = Annotated[Path, typer.Option(parser=path, help="Folder that holds a folder for each experiment.")]
DataFolder = Annotated[
    Path,
    typer.Option(
        "--data", parser=path, envvar="SPARSEFRONT_DATA", help="Folder of data sets, as torchvision lays them out."
    ),
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option("--plugin", parser=path, help="Python file with methods, tasks, experiments or figures of your own."),
]


def load_plugins(paths: list[Path] | None) -> None:
    """Load the files that `--plugin` names."""
    for path in paths or ():
        load_plugin(path)
