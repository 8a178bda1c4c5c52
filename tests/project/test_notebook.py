"""The notebook of the documentation runs from its first cell to its last."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import ROOT

NOTEBOOK = ROOT / "docs" / "examples" / "notebook.py"


@pytest.mark.slow
def test_the_notebook_runs_and_draws_its_figures(tmp_path: Path) -> None:
    script = f"""
import os, runpy
os.environ["TMPDIR"] = {str(tmp_path)!r}
names = runpy.run_path({str(NOTEBOOK)!r}, run_name="__main__")
print(names["trained"].measurement.density, len(names["figure"].axes[0].lines), names["folder"])
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    density, lines, folder = done.stdout.splitlines()[-1].split(maxsplit=2)
    assert 0.09 < float(density) < 0.11 and int(lines) >= 4
    assert Path(folder).is_relative_to(tmp_path) and (Path(folder) / "three-methods.png").stat().st_size > 10_000


def test_every_cell_is_short() -> None:
    cells = NOTEBOOK.read_text().split("# %%")[1:]
    assert len(cells) > 6 and max(len(cell.splitlines()) for cell in cells) < 25
