"""Grids of runs: their content, their order, and the faults that they report."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmark.cli.overrides import override
from benchmark.errors import UsageError
from benchmark.experiments.experiment import Experiment
from benchmark.experiments.registry import EXPERIMENTS, experiment, get_experiment
from benchmark.tasks.learning_rates import MATCHED
from benchmark.tasks.registry import get_task, task
from benchmark.tasks.task import Task
from methods.core.registry import MethodError, parse
from methods.dwf import Factorization
from tests.builders import toy_task

SMALL = Experiment(
    tasks=("lenet300-digits",),
    methods=("dense", "snip", "dwf[depth=3]"),
    values={"density": (0.1, 0.05, 0.02), "strength": (4.0,)},
    seeds=(0, 1),
    epochs=3,
)


def test_a_grid_has_every_method_at_every_value_of_its_knob_seed_by_seed() -> None:
    runs = SMALL.runs()
    assert [(run.seed, run.method, run.value) for run in runs[:5]] == [
        (0, "dense", 1.0), (0, "snip", 0.1), (0, "snip", 0.05), (0, "snip", 0.02), (0, "dwf[depth=3]", 4.0),
    ]  # fmt: skip
    assert [run.seed for run in runs] == [0] * 5 + [1] * 5
    assert len({run.key for run in runs}) == len(runs)


def test_an_option_may_choose_the_knob() -> None:
    runs = replace(
        SMALL, methods=("dwf[by=penalty]", "dwf"), values={"penalty": (1e-4,), "strength": (4.0, 5.0)}, seeds=(0,)
    )
    assert [(run.method, run.value) for run in runs.runs()] == [
        ("dwf[depth=3,by=penalty]", 1e-4), ("dwf[depth=3]", 4.0), ("dwf[depth=3]", 5.0),
    ]  # fmt: skip


def test_aliases_share_one_run() -> None:
    runs = replace(SMALL, methods=("shallow", "dwf[depth=2]"), seeds=(0,)).runs()
    assert [run.method for run in runs] == ["dwf[depth=2]"]


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"tasks": ("lenet300-emnist",)}, UsageError, "lenet300-digits"),
        ({"tasks": ()}, UsageError, "at least one task"),
        ({"methods": ("snap",)}, MethodError, "snip"),
        ({"values": {"density": (0.0,)}}, MethodError, r"\(0, 1\]"),
        ({"values": {"density": (1.5,)}}, MethodError, r"\(0, 1\]"),
        ({"values": {"density": (0.1,), "strength": (-1.0,)}}, MethodError, ">= 0"),
        ({"epochs": 0}, UsageError, "epochs"),
        ({"methods": ("prox-l1",)}, UsageError, "no values for the penalty of prox-l1"),
        ({"seeds": ()}, UsageError, "at least one seed"),
        ({"seeds": (0.5,)}, UsageError, "seeds of an experiment are whole numbers from 0 to 4294967295, not 0.5"),
        ({"seeds": 3}, UsageError, r"a tuple of seeds, as in seeds=\(first, second\), not 3"),
        ({"methods": (None,)}, UsageError, "methods of an experiment are written forms, not None"),
        ({"values": [0.5]}, UsageError, r"values of an experiment are given by knob, as in .*, not \[0.5\]"),
        ({"values": {"density": 0.5}}, UsageError, "the values of density are a tuple of numbers, as in .*, not 0.5"),
        ({"values": {"density": ("0.5",)}}, UsageError, r"the values of density are .*, not \('0.5',\)"),
        ({"values": {"densty": (0.5,)}}, UsageError, "no values for the density of snip, but for densty"),
        ({"epochs": "5"}, UsageError, "epochs must be a whole number .*, not '5'"),
        ({"epochs": 2.5}, UsageError, "not 2.5"),
        ({"budgets": 5}, UsageError, "budgets=.*, not 5"),
        ({"budgets": (5, 0)}, UsageError, "epochs must be a whole number .*, not 0"),
        ({"learning_rates": 0.1}, UsageError, "a tuple of learning_rates"),
        ({"learning_rates": ("a",)}, UsageError, "learning_rates of an experiment are numbers, not 'a'"),
        ({"precision": "fp16"}, UsageError, "precision of an experiment is one of float32, bf16, auto, not 'fp16'"),
        ({"pairs": 3}, UsageError, "pairs of an experiment is a function, not 3"),
        ({"extra_outputs": "x"}, UsageError, "extra_outputs of an experiment is a function"),
    ],
)
def test_invalid_grids_are_rejected(change: dict[str, object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        replace(SMALL, **change).runs()  # type: ignore[arg-type]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_a_docstring_and_runs(name: str) -> None:
    assert len(EXPERIMENTS[name].__doc__ or "") > 40
    runs = get_experiment(name).runs()
    # What is claimed has a spread; choosing rates has one seed, so that it can have many rates.
    assert len({run.seed for run in runs}) >= (
        1 if name.startswith(("learning-rate", "search", "gpt", "inference")) else 3
    )
    smoke, some = get_experiment(name).smoke().runs(), set(map(str, map(parse, get_experiment(name).smoke_methods)))
    assert {run.method for run in smoke} == (some or {run.method for run in runs})
    epochs = {1, 2} if get_experiment(name).budgets else {2}
    assert all(run.synthetic for run in smoke) and {run.epochs for run in smoke} == epochs and len(smoke) <= 100


def test_budgets_are_a_dimension_of_the_grid_and_run_one_after_another() -> None:
    grid = replace(SMALL, methods=("dense", "dwf"), epochs=None, budgets=(10, 30))
    expected = [
        (epochs, seed, method) for epochs in (10, 30) for seed in (0, 1) for method in ("dense", "dwf[depth=3]")
    ]
    assert [(run.epochs, run.seed, run.method) for run in grid.runs()] == expected
    assert [run.epochs for run in get_experiment("budget").runs()][-1] == 300
    _, one = override("budget", None, None, None, None, 7, None, "full")
    assert {run.epochs for run in one.runs()} == {7}
    with pytest.raises(UsageError, match="epochs"):
        replace(grid, budgets=(10, 0)).runs()


def test_learning_rates_may_be_a_dimension_of_the_grid() -> None:
    runs = replace(SMALL, methods=("dense", "dwf"), learning_rates=(0.1, 0.4), seeds=(0,)).runs()
    assert [(run.method, run.learning_rate) for run in runs] == [
        ("dense", 0.1), ("dense", 0.4), ("dwf[depth=3]", 0.1), ("dwf[depth=3]", 0.4),
    ]  # fmt: skip
    smoke = replace(SMALL, learning_rates=(0.1, 0.2, 0.4)).smoke()
    assert smoke.learning_rates == (0.1, 0.4)


def test_a_method_may_have_values_of_its_own() -> None:
    runs = replace(SMALL, methods=("snip", "random"), values={"density": (0.1,), "snip": (0.3, 0.2)}, seeds=(0,)).runs()
    assert [(run.method, run.value) for run in runs] == [("snip", 0.3), ("snip", 0.2), ("random", 0.1)]


def test_values_of_the_command_line_apply_to_all_methods_with_that_knob() -> None:
    """They also replace the values that the experiment has for single methods."""
    chosen = ("families-grid", None, "gmp,prox-l1,str", ["penalty=0.5", "str=2"], "0", None, None, "full")
    _, experiment = override(*chosen)
    runs = [(run.method, run.value) for run in experiment.runs() if run.method != "gmp"]
    assert runs == [("prox-l1", 0.5), ("str", 2.0)]
    assert {run.value for run in experiment.runs() if run.method == "gmp"} > {0.2, 0.1}


def test_a_task_may_have_options() -> None:
    torch.manual_seed(0)
    small = get_task("lenet300-mnist[width=0.1]").model()
    assert [tuple(p.shape) for p in small.parameters()][::2] == [(30, 784), (10, 30), (10, 10)]


def test_small_dense_networks_are_added_for_tasks_with_widths() -> None:
    grid = Experiment(
        ("lenet300-mnist", "lenet5-mnist"), ("snip",), {"density": (0.1,)}, (0,), dense_widths=(0.5, 0.1, 0.02)
    )
    runs = [(run.task, run.method) for run in grid.runs()]
    narrow = [(f"lenet300-mnist[width={width}]", "dense") for width in ("0.5", "0.1", "0.02")]
    assert runs == [("lenet300-mnist", "snip"), *narrow, ("lenet5-mnist", "snip")]
    assert len(grid.smoke().runs()) == 4
    _, chosen = override("families-grid", None, "snip", None, "0", None, None, "full")
    assert {run.method for run in chosen.runs()} == {"snip"}


@pytest.mark.parametrize("network", ["vgg16", "vgg19", "resnet18", "resnet20", "wrn22"])
def test_every_cifar_network_has_one_recipe_for_both_data_sets(network: str) -> None:
    ten, hundred = (get_task(f"{network}-cifar{classes}") for classes in (10, 100))
    assert [task.model()(torch.zeros(2, 3, 32, 32)).shape for task in (ten, hundred)] == [(2, 10), (2, 100)]
    assert replace(hundred, model=ten.model, data=ten.data, dataset=ten.dataset, classes=10) == ten


def test_any_network_of_timm_is_a_task() -> None:
    small = get_task("timm:resnet10t-cifar100")
    assert small.model()(torch.zeros(2, *small.shape)).shape == (2, 100)
    vit = get_task("vit-cifar10").model()
    assert vit.get_parameter("pos_embed").shape[1] == 1 + 64 and vit(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    for written, said in [
        ("timm:resnet10t", "task 'timm:resnet10t' is not timm:MODEL-DATASET"),
        ("timm:resnet10t-mnist", "cifar10, cifar100"),
        ("timm:resnut-cifar10", "timm has no model 'resnut'"),
    ]:
        with pytest.raises(UsageError, match=said):
            get_task(written)


def test_the_learning_rate_of_the_most_specific_entry_counts() -> None:
    recipe = toy_task(learning_rate=0.1, learning_rates={"dwf": 0.3, "dwf[depth=2]": 1.0, "snip": 0.2})
    expected = {
        "dense": 0.1, "snip": 0.2, "snip[batches=2]": 0.2, "shallow": 1.0, "dwf": 0.3,
        "dwf[depth=2,threshold=0.001]": 1.0, "control[mask=shallow]": 1.0, "ham[mask=snip[batches=2]]": 0.2,
        "control[mask=control[mask=dwf[depth=2,init=ones]]]": 1.0,
    }  # fmt: skip
    assert {form: recipe.learning_rate_of(parse(form)) for form in expected} == expected


def test_other_parameters_learn_at_most_at_the_rate_of_the_recipe() -> None:
    recipe = toy_task(learning_rate=0.1)
    assert (recipe.other_lr(0.05), recipe.other_lr(0.1), recipe.other_lr(0.8)) == (0.05, 0.1, 0.1)


def test_a_new_task_is_one_decorated_function() -> None:
    def my_own_task() -> Task:
        """A task."""
        return toy_task()

    assert task(my_own_task) is my_own_task
    assert get_task("my-own-task").classes == 4
    with pytest.raises(UsageError, match="registered already"):
        task(my_own_task)


def test_an_experiment_is_registered_once() -> None:
    with pytest.raises(UsageError, match="an experiment named 'quickstart' is registered already"):
        experiment(EXPERIMENTS["quickstart"])


def rates(experiment: str) -> list[dict[str, str]]:
    with (
        Path(__file__).parent.parent.parent.parent / "results" / "reference" / experiment / "learning_rates.csv"
    ).open() as file:
        return list(csv.DictReader(file))


SEARCHES = ("learning-rate", "learning-rate-digits", "learning-rate-families", "learning-rate-lenet5", MATCHED)


@pytest.mark.parametrize("experiment", SEARCHES)
def test_recipes_have_the_rates_that_were_chosen(experiment: str) -> None:
    """With one procedure and as many trials for every method; the table is committed.

    What has the finer search of `learning-rate` keeps its choice.
    """
    rows = rates(experiment)
    if experiment == "learning-rate-families":
        finer = {row["method"] for row in rates("learning-rate")}
        rows = [row for row in rows if row["method"] not in finer]
    trials: dict[str, set[tuple[str, int]]] = {}
    for row in rows:
        knob = parse(row["method"]).knob
        trials.setdefault(knob, set()).add((row["learning_rate"], int(row["trials"])))
        if row["chosen"] == "true":
            method = parse(row["method"])
            if isinstance(method, Factorization) and experiment != MATCHED:
                method = replace(method, rates="equal")  # the other searches trained version 1
            assert get_task(row["task"]).learning_rate_of(method) == float(row["learning_rate"]), row["method"]
    assert all(len({rate for rate, _ in tried}) == len(tried) for tried in trials.values())


def test_lower_learning_rates_are_a_half_and_a_quarter_of_the_recipes() -> None:
    runs = get_experiment("learning-rate-budget").runs()
    recipe = {run.method: get_task(run.task).learning_rate_of(parse(run.method)) for run in runs}
    shares = [(run.method, recipe[run.method] / run.learning_rate, run.value) for run in runs]
    assert shares[:4] == [("dwf[depth=3,by=penalty]", share, value) for share in (2, 4) for value in (1.5e-5, 6e-5)]
    assert shares[4:8] == [("gmp", share, value) for share in (2, 4) for value in (0.05, 0.01)]
    assert {run.epochs for run in runs} == {300}
