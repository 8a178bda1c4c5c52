"""The tables and numbers of measured latency, from made-up timings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.records.schema import INFERENCE_COLUMNS
from benchmark.records.table import append
from plots.doc_blocks import latency, published
from tests.builders import run, write


@pytest.fixture
def timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the name of published results with five compressions whose forms have these milliseconds."""
    times = {2: (9.5, 12, 9), 10: (8, 11, 9), 50: (9.9, 7.5, 5), 100: (5, 8, 4), 500: (4, 2, 1)}
    (tmp_path / "inference").mkdir()
    rows = [run("dense", 1, 0, 1000, 90, 90)]
    rows += [run("snip", 1 / ratio, 0, 1000 // ratio, 80, 80) for ratio in times]
    rows = [replace(row, file_bytes=4200, theoretical_speedup=2.0) for row in rows]
    write(tmp_path / "inference", rows)
    cells = [
        (
            *(row.key, row.task, row.method, row.value, row.seed, form, 1, 1, ms, ms, ms),
            *(10 / ms, 10 / ms, 10 / ms, 1.25, "a processor", "torch"),
        )
        for row in rows[1:]
        for form, ms in zip(
            ("dense", "onnx dense", "compact", "csr", "onnx"), (10, 5, *times[round(1 / row.value)]), strict=True
        )
    ]
    append(tmp_path / "inference" / "inference.csv", INFERENCE_COLUMNS, cells)
    monkeypatch.setattr(published, "REFERENCE", tmp_path)
    published.runs.cache_clear()
    yield "inference"
    published.runs.cache_clear()


def test_a_form_pays_from_the_compression_from_which_all_larger_ones_do(timed: str) -> None:
    lines = latency.pays(timed, "toy", "1").splitlines()
    assert lines[0] == "| method | compact | csr | onnx |"
    assert lines[2] == "| snip | 100 | 50 | 100 |"  # compact pays at 10 but not at 50; onnx has 5 ms dense


def test_tables_and_sentences_have_the_measured_ratios(timed: str) -> None:
    lines = latency.latency(timed, "toy", "1").splitlines()
    assert lines[2] == "| snip | 2 | 2.0 | 1.05 | 0.83 | 2.00 | 1.11 | 1.3 / 1.3 / 1.3 | 4 |" and len(lines) == 7
    assert latency.gain(timed, "toy", "snip", "0.01", "compact", "1") == "2.0"
    for arguments, says in (
        ((timed, "toy", "snip", "0.01", "zip", "1"), "no form zip of snip; forms are dense, compact"),
        ((timed, "toy", "snip", "0.01", "csr", "3"), "no timings of toy at batch 3 with threads=1; tasks are toy"),
    ):
        with pytest.raises(UsageError, match=says):
            latency.gain(*arguments)
