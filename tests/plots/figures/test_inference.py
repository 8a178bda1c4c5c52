"""The figure of measured latency."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.records.schema import INFERENCE_COLUMNS
from benchmark.records.table import append
from plots import load
from plots.figures.inference import draw, grid, timings
from tests.builders import points, run, write

MACS = {"macs_dense": 1000, "theoretical_speedup": 10.0, "compact_macs": 500}
RUNS = [run("dense", 1, 0, 1000, 90, 90, macs_dense=1000, compact_macs=1000, theoretical_speedup=1.0)]
RUNS += [run("snip", value, 0, nonzeros, 80, 80, **MACS) for value, nonzeros in ((0.1, 100), (0.01, 10))]


def timed(folder: Path) -> Path:
    cells = [
        (
            *(row.key, row.task, row.method, row.value, row.seed, form, batch, threads, 1, 0.9, 1.2),
            *(speedup, 0.9 * speedup, 1.1 * speedup, 2.5, "a processor", "torch 2.9"),
        )
        for row in RUNS
        for batch in (1, 256)
        for threads in (1, 2)
        for form, speedup in (("dense", 1), ("onnx", 4), ("csr", 3), ("dense", 1), ("compact", 1.9), ("csr", 0.5))
    ]
    folder.mkdir()
    write(folder, RUNS)
    append(folder / "inference.csv", INFERENCE_COLUMNS, cells)
    return folder


def test_each_method_and_batch_has_a_panel_with_its_measured_and_theoretical_speedups(tmp_path: Path) -> None:
    frame = load(timed(tmp_path / "inference"))
    table = timings(tmp_path / "inference", frame)
    assert set(table["speedup"]) == {1, 1.9, 0.5}  # of two times the last
    figure = grid(frame, table[table["threads"] == 1], "toy", 1)
    panels = figure.axes
    assert [axes.get_title("left") for axes in panels] == ["snip", ""]
    assert [axes.get_ylabel() for axes in panels] == ["batch 1", "batch 256"]
    lines = {tuple(points(line)[:, 1].tolist()) for line in panels[0].get_lines()}
    assert {(1.9, 1.9), (0.5, 0.5), (10.0, 10.0), (2.0, 2.0)} <= lines


def test_the_figure_is_drawn_where_networks_were_timed(tmp_path: Path) -> None:
    folder = timed(tmp_path / "inference")
    assert {path.name for path in draw(folder, load(folder), tmp_path)} == {
        f"inference-toy{threads}.{kind}" for threads in ("", "-2-threads") for kind in ("png", "svg")
    }
    (folder / "inference.csv").unlink()
    assert draw(folder, load(folder), tmp_path) == []
    append(
        folder / "inference.csv", INFERENCE_COLUMNS, [("other", "toy", "snip", 0.1, 0, "dense", *range(1, 10), "", "")]
    )
    with pytest.raises(UsageError, match="holds no measured run"):
        draw(folder, load(folder), tmp_path)
