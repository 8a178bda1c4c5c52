"""The command that exports the network of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from benchmark.cli import options
from benchmark.cli.output import console
from benchmark.errors import UsageError


def export(
    key: Annotated[str, typer.Argument(help="The key of a run, from the first column of runs.csv.")],
    form: Annotated[
        Literal["dense", "onnx", "torch-sparse", "torch-2:4"],
        typer.Option(
            "--format",
            help="dense: a program of torch.export; torch-sparse: a state dict with CSR weights; torch-2:4: 2:4 ones.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option(parser=options.path, help="File to write; by default KEY.pt2, KEY.pt or KEY.onnx.")
    ] = None,
    results: options.Results = Path("results"),
    plugin: options.Plugins = None,
) -> None:
    """Write the final network of a run, without its dead units, in a format that other programs run.

    The run must have been computed with `sparsefront run --keep-networks`.
    """
    options.load_plugins(plugin)
    from benchmark.deployment.compact import compact
    from benchmark.deployment.exports import ENDINGS
    from benchmark.deployment.exports import export as write
    from benchmark.sweep.kept import load_run

    model, task = load_run(key, results)
    example = task.synthetic_data().train[0][:1]
    target = output or Path(f"{key}{ENDINGS[form]}")
    if not target.parent.is_dir():
        raise UsageError(
            f"there is no folder {target.parent} to write {target.name} to; name another file with --output"
        )
    if form == "dense" and target.suffix != ENDINGS[form]:
        raise UsageError(f"torch.export.load reads files that end in .pt2, not {target.name}; name one with --output")
    try:
        small = compact(model, example)
    except UsageError as error:
        console.print(f"note: {error}", soft_wrap=True)
        small = model
    write(small, example, target, form)
    sizes = [sum(parameter.numel() for parameter in network.parameters()) for network in (model, small)]
    console.print(
        f"wrote {target}: {sizes[1]:,} of {sizes[0]:,} parameters are in layers without dead units, "
        f"{target.stat().st_size:,} bytes",
        soft_wrap=True,
    )
