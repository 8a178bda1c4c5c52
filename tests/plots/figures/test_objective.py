"""The figure of objectives: the learning rate that it takes, and the panels that methods share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark.records.schema import Row
from plots.figures.objective import objective_figure, objectives, of_lowest_objective
from plots.results import AT_SETTING, load
from tests.builders import points, run, write

PENALTIES = {"dwf[depth=3,by=penalty]": 0.6666667, "prox-lq[q=2/3]": 2 / 3, "prox-l1": 1.0}


def penalized(method: str, rate: float, objective: float | None, seed: int = 0, **other: Any) -> Row:
    """Return a run at lambda 0.5 whose penalty sum is 1."""
    named = {"key": f"{method} {rate} {seed}", "knob": "penalty", "penalty": 0.5, "penalty_sum": 1.0}
    named |= {"exponent": PENALTIES[method], "objective": objective, "learning_rate": rate, "uncut_train_loss": 0.25}
    accuracy = None if objective is None else 80.0
    return run(method, 0.5, seed, 100, accuracy, accuracy, **(named | other))


ROWS = [
    run("dense", 1, 0, 1000, 90, 91, knob="none", key="dense 0.1", learning_rate=0.1),
    run("dense", 1, 0, 1000, 92, 91, knob="none", key="dense 0.2", learning_rate=0.2),
    penalized("dwf[depth=3,by=penalty]", 0.1, 3.0),
    penalized("dwf[depth=3,by=penalty]", 0.1, 5.0, seed=1),
    penalized("dwf[depth=3,by=penalty]", 0.2, 2.0),
    penalized("dwf[depth=3,by=penalty]", 0.2, None, seed=1),  # diverged
    penalized("prox-lq[q=2/3]", 0.1, 2.0, penalty=0.50000001),
    penalized("prox-l1", 0.1, 8.0),
    penalized("prox-l1", 0.2, 6.0),
]


def test_a_method_has_its_learning_rate_of_lowest_objective_at_which_no_run_failed(tmp_path: Path) -> None:
    chosen = of_lowest_objective(load(write(tmp_path, ROWS), point=AT_SETTING))
    rates = dict(zip(chosen["method"], chosen["learning_rate"], strict=True))
    expected = {"dense": 0.2, "dwf[depth=3,by=penalty]": 0.1, "prox-lq[q=2/3]": 0.1, "prox-l1": 0.2}
    assert rates == expected and len(chosen) == 5


def test_methods_of_one_exponent_share_a_panel_and_are_divided_by_its_lowest_objective(tmp_path: Path) -> None:
    runs = load(write(tmp_path, ROWS), point=AT_SETTING)
    chosen = of_lowest_objective(runs)
    table = objectives(chosen)
    own = table[table["method"] == "dwf[depth=3,by=penalty]"]
    assert own[["objective", "train_loss", "penalty_term"]].to_numpy().tolist() == [[4, 0.25, 0.5]]
    both = objectives(runs)  # at a rate where one of two runs diverged
    failed = both[(both["method"] == "dwf[depth=3,by=penalty]") & (both["learning_rate"] == 0.2)]
    assert failed[["n", "asked"]].to_numpy().tolist() == [[1, 2]]
    first, second, *_ = objective_figure(chosen, runs).axes
    assert [axes.get_title(loc="left") for axes in (first, second)] == ["q = 1", "q = 2/3"]
    heights = {round(points(line)[0, 1], 3) for line in second.get_lines() if len(points(line)) == 1}
    assert heights >= {1.0, 2.0}
