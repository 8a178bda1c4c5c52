"""Learning rate, batch size and weight decay of the command line are part of the key; a task runs by its own name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.cli.overrides import override
from benchmark.errors import UsageError
from benchmark.experiments.fronts import experiment_or_grid
from benchmark.experiments.run import Run
from benchmark.sweep.rows import asked
from benchmark.tasks.registry import canonical_task, get_task, read_task, task
from benchmark.tasks.task import Task
from plots.results import load
from tests.builders import pair, rows, sparsefront, toy_task, write

DIGITS = Run("lenet300-digits", "dense", 1.0, 0, 2, 0.1)


def test_a_task_takes_another_batch_size_and_weight_decay_as_options() -> None:
    made = get_task("lenet300-digits[batch_size=32,weight_decay=0,width=0.5]")
    assert (made.batch_size, made.weight_decay) == (32, 0) and made.epochs == get_task("lenet300-digits").epochs
    assert canonical_task("lenet300-digits[weight_decay=0.001, batch_size=32]") == (
        "lenet300-digits[batch_size=32,weight_decay=0.001]"
    )
    name, options = read_task("lenet300-digits[batch_size=32]")
    assert (name, options) == ("lenet300-digits", {"width": 1.0, "batch_size": 32, "weight_decay": None})


def test_the_recipes_own_values_are_the_same_run() -> None:
    same = replace(DIGITS, task="lenet300-digits[batch_size=64,weight_decay=5e-4]")
    assert same == DIGITS and same.key == DIGITS.key
    others = [replace(DIGITS, task=f"lenet300-digits[{change}]") for change in ("batch_size=32", "weight_decay=0")]
    assert len({run.key for run in (DIGITS, replace(DIGITS, learning_rate=0.2), *others)}) == 4
    row = asked("mine", others[0])
    assert (row.base_task, row.task) == ("lenet300-digits", "lenet300-digits[batch_size=32]")


@pytest.mark.parametrize("wrong", ["batch_size=0", "batch_size=none", "weight_decay=-1", "batch=3"])
def test_wrong_recipes_are_refused(wrong: str) -> None:
    with pytest.raises(UsageError):
        get_task(f"lenet300-digits[{wrong}]")


def test_an_option_of_the_function_with_the_same_name_is_the_functions() -> None:
    @task
    def own_batches(batch_size: int = 7) -> Task:
        """A task that has the option itself."""
        return toy_task(batch_size=batch_size + 1)

    assert get_task("own-batches[batch_size=9]").batch_size == 10
    assert canonical_task("own-batches[batch_size=7]") == "own-batches"


def test_the_command_line_changes_the_recipe_of_every_task() -> None:
    _, grid = override("quickstart", None, "dense", None, "0", 3, None, "full", 0.3, 32, 0.0)
    (run,) = grid.runs()
    assert (run.task, run.learning_rate) == ("lenet300-digits[batch_size=32,weight_decay=0]", 0.3)
    for wrong in (-1.0, 0.0, 1e-320, float("nan"), float("inf")):
        _, grid = override("quickstart", None, None, None, None, None, None, "full", wrong)
        with pytest.raises(UsageError, match=rf"a learning rate must be in \[1e-12, 1e\+12\], not {wrong:g}"):
            grid.runs()
    with pytest.raises(UsageError, match="batch_size"):
        override("quickstart", None, None, None, None, None, None, "full", None, 0)


def test_a_task_without_an_experiment_has_a_grid() -> None:
    for name in ("lenet300-kmnist", "lenet300-digits[width=0.1]"):
        grid = experiment_or_grid(name)
        assert grid.tasks == (name,) and len(grid.methods) > 5
    assert experiment_or_grid("quickstart").methods != experiment_or_grid("lenet300-digits").methods
    for wrong, said in (
        ("quickstrat", "did you mean quickstart"),
        ("mlp-cancr", "did you mean mlp-cancer"),
        ("no-task[width=1]", "no task 'no-task'"),
        ("lenet300-digits[wdth=1]", "did you mean width"),
    ):
        with pytest.raises(UsageError, match=said):
            experiment_or_grid(wrong)


def test_the_folder_of_a_task_whose_form_names_a_file_has_no_slash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "from benchmark import task\nfrom benchmark.contract.stage import toy_task\n\n"
        "@task\ndef file_task(weights: str = ''):\n    '''A toy.'''\n    return toy_task()\n"
    )
    form, where = "file-task[weights=/tmp/net.pt]", ("--plugin", str(plugin), "--results", str(tmp_path))
    chosen = ("--methods", "dense", "--seeds", "0", "--epochs", "1", "--workers", "1")
    assert sparsefront(monkeypatch, "run", form, *chosen, *where) == 0
    (row,) = rows(tmp_path / "file-task[weights=-tmp-net.pt]")
    assert row["task"] == form
    assert "next: sparsefront report 'file-task[weights=-tmp-net.pt]' --results" in capfd.readouterr().out
    assert sparsefront(monkeypatch, "report", form, *where) == 0
    assert (tmp_path / "file-task[weights=-tmp-net.pt]" / "leaderboard.md").is_file()


def test_the_task_of_a_plugin_runs_by_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "from benchmark import task\nfrom benchmark.contract.stage import toy_task\n\n"
        "@task\ndef my_task():\n    '''A toy.'''\n    return toy_task()\n"
    )
    chosen = ("--methods", "dense", "--seeds", "0", "--epochs", "1", "--workers", "1", "--lr", "0.05")
    where = ("--plugin", str(plugin), "--results", str(tmp_path))
    assert sparsefront(monkeypatch, "run", "my-task", *chosen, "--batch-size", "50", *where) == 0
    (row,) = rows(tmp_path / "my-task")
    assert (row["task"], row["learning_rate"], row["batch_size"]) == ("my-task[batch_size=50]", "0.05", "50")


def test_a_dense_network_of_another_recipe_is_no_narrow_one(tmp_path: Path) -> None:
    plain = pair("dense", 1, 1000, (90, 90), (90, 90), base_task="toy", width=1.0)
    other = [replace(row, key=f"other {row.seed}", task="toy[batch_size=8]") for row in plain]
    runs = load(write(tmp_path, plain + other))
    assert set(runs["method"]) == {"dense"} and set(runs["task"]) == {"toy", "toy[batch_size=8]"}
