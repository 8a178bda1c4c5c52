"""The figure of costs: the same runs over compression, files, theoretical and measured speed-up."""

from __future__ import annotations

from pathlib import Path

import pandas

from plots.figures.below_dense import below_dense
from plots.readings import COMPRESSION, SHARES
from plots.registry import COMPARISONS, figure
from plots.results import measured
from plots.style import file_name, save

AXES = (
    *(COMPRESSION, "effective compression ratio", "theoretical speed-up"),
    *("file compression ratio", "measured speed-up"),
)
NETWORKS = ("resnet18", "resnet20", "vgg16", "vgg19", "vit")
DATA = ("fmnist", "kmnist", "mnist", "cifar10", "cifar100", "tinyimagenet")


@figure(
    (
        *COMPARISONS,
        "inference",
        *(f"{network}-{data}" for network in ("lenet300", "lenet5", *NETWORKS) for data in DATA),
    )
)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Draw the figure of each task with a dense run in which one of the costs is not that of the weights alone."""
    written = []
    for task in sorted(measured(frame).query("method == 'dense'")["task"].unique()):
        own = frame[frame["task"] == task]
        if len(axes := told_apart(own)) > 1:
            title = f"{task}: one set of runs, {len(axes)} costs"
            written += save(below_dense(own, title, axes), figures / file_name(f"costs-{task}"))
    return written


def told_apart(runs: pandas.DataFrame) -> list[str]:
    """Return compression, and the other axes that most runs have and that differ from it by more than 5 % in one."""
    there = measured(runs)
    there = there[(there["density"] > 0) & (there["method"] != "dense")]
    ratios = {axis: SHARES[axis](there) / there["density"] for axis in AXES}
    return [
        axis
        for axis, ratio in ratios.items()
        if axis == COMPRESSION or (ratio.notna().mean() > 0.5 and ((ratio - 1).abs() > 0.05).any())
    ]
