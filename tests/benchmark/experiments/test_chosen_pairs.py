"""Comparisons take the pairs that the published search chose."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.experiments import search
from benchmark.experiments.families import farther_pairs
from benchmark.experiments.search import chosen_pairs
from methods.core.registry import parse

TRIALS = """task,method,knob,learning_rate,value,compression,val_accuracy,nondominated,chosen
toy,dense,none,0.1,1,1,90,true,true
toy,"dwf[depth=3,by=penalty]",penalty,0.4,0.001,30,89,true,true
toy,"dwf[depth=3,by=penalty]",penalty,0.8,0.0001,31,88,false,false
toy,"dwf[depth=3,by=penalty]",penalty,0.2,0.002,90,87,true,true
toy,rigl,density,0.3,0.004,250,85,true,true
toy,rigl,density,0.1,0.1,10,88,true,true
toy,obs,density,0.1,0.1,10,88,true,true
"""


def test_pairs_are_the_chosen_lines_of_the_published_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trials.csv").write_text(TRIALS)
    monkeypatch.setattr(search, "published", lambda experiment, table: tmp_path / table)
    assert chosen_pairs(parse("dwf[by=penalty,depth=3]")) == [(0.4, 0.001), (0.2, 0.002)]
    assert chosen_pairs(parse("dense")) == [(0.1, 1.0)]
    with pytest.raises(UsageError, match=r"search chose no pairs for gmp; it did for dense, dwf\[.*"):
        chosen_pairs(parse("gmp"))


def test_sparse_masks_also_run_beyond_the_searched_densities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trials.csv").write_text(TRIALS)
    monkeypatch.setattr(search, "published", lambda experiment, table: tmp_path / table)
    assert farther_pairs(parse("rigl")) == [(0.3, 0.004), (0.1, 0.1), (0.3, 0.001), (0.3, 0.0005)]
    for form in ("obs", "dense", "dwf[by=penalty,depth=3]"):  # one shot stops early, and penalties have no density
        assert farther_pairs(parse(form)) == chosen_pairs(parse(form))
