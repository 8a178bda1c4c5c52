"""Comparisons take the pairs that the published search chose."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.experiments import search
from benchmark.experiments.search import chosen_pairs
from methods.core.registry import parse

TRIALS = """task,method,knob,learning_rate,value,compression,val_accuracy,nondominated,chosen
toy,dense,none,0.1,1,1,90,true,true
toy,"dwf[depth=3,by=penalty]",penalty,0.4,0.001,30,89,true,true
toy,"dwf[depth=3,by=penalty]",penalty,0.8,0.0001,31,88,false,false
toy,"dwf[depth=3,by=penalty]",penalty,0.2,0.002,90,87,true,true
"""


def test_pairs_are_the_chosen_lines_of_the_published_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trials.csv").write_text(TRIALS)
    monkeypatch.setattr(search, "published", lambda experiment, table: tmp_path / table)
    assert chosen_pairs(parse("dwf[by=penalty,depth=3]")) == [(0.4, 0.001), (0.2, 0.002)]
    assert chosen_pairs(parse("dense")) == [(0.1, 1.0)]
    with pytest.raises(UsageError, match=r"search chose no pairs for gmp; it did for dense, dwf\[.*"):
        chosen_pairs(parse("gmp"))
