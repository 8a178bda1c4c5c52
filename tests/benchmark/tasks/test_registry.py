"""The written form of tasks: one task has one form, and wrong forms are refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Optional

import pytest
import torch

from benchmark.cli.lists import lines
from benchmark.data.objective import Objective, Regression
from benchmark.errors import UsageError
from benchmark.tasks.registry import TASKS, canonical_task, get_task, read_task, task, task_scheme
from benchmark.tasks.task import Task
from tests.builders import toy_task


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("lenet300-mnist", "lenet300-mnist"),
        ("lenet300-mnist[width=1]", "lenet300-mnist"),
        ("lenet300-mnist[width=1.0]", "lenet300-mnist"),
        (" lenet300-mnist[ width=0.50 ] ", "lenet300-mnist[width=0.5]"),
        ("lenet300-mnist[width=5e-1]", "lenet300-mnist[width=0.5]"),
        ("lenet300-mnist[width=2.0]", "lenet300-mnist[width=2]"),
        ("timm:resnet10t-cifar10", "timm:resnet10t-cifar10"),
        ("timm:resnet10t-birds[images=40,classes=2]", "timm:resnet10t-birds[classes=2,images=40]"),
        ("timm:resnet10t-imagenet[classes=1000]", "timm:resnet10t-imagenet"),
    ],
)
def test_a_task_has_one_written_form(text: str, printed: str) -> None:
    assert canonical_task(text) == printed
    assert canonical_task(printed) == printed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lenet300-emnist", "there is no task 'lenet300-emnist' (did you mean lenet300-mnist?); tasks are"),
        ("timm:test_resnet-bi\x1brds[classes=2]", r"bi\x1brds' holds a character that cannot be printed"),
        ("lenet300-mnist[width=0.1", "does not close its bracket"),
        ("lenet300-mnist[width=0.1]]", "text after its closing bracket"),
        ("lenet300-mnist[width=0.1]x", "text after its closing bracket"),
        ("lenet300-mnist]", "closes a bracket that it does not open"),
        ("lenet300-mnist[width=0.1,width=0.5]", "gives option width twice"),
        ("lenet300-mnist[width]", "holds 'width' where an option and its value should be"),
        ("lenet300-mnist[]", "holds '' where an option and its value should be"),
        ("lenet300-mnist[depth=2]", "task lenet300-mnist has no option 'depth'; its options are width"),
        ("lenet5-mnist[width=2]", "task lenet5-mnist has no option 'width'; its options are batch_size, weight_decay"),
        ("lenet300-mnist[width=wide]", "option width of task lenet300-mnist takes a number in [0.01, 100], not 'wide'"),
        ("lenet300-mnist[width=0]", "a number in [0.01, 100], not '0'"),
        ("lenet300-mnist[width=1e-9]", "a number in [0.01, 100], not '1e-9'"),
        ("lenet300-mnist[width=-1]", "not '-1'"),
        ("lenet300-mnist[width=1e308]", "not '1e308'"),
        (
            "timm:resnet18-birds[classes=0,images=9]",
            "option classes of task timm:resnet18-birds takes a whole",
        ),
        ("timm:resnet18-birds[classes=2,images=1e9]", "option images"),
        ("timm:resnet18-imagenet[classes=-1]", "option classes"),
        ("lenet300-mnist[width=nan]", "option width of task lenet300-mnist takes a number in [0.01, 100], not 'nan'"),
        ("lenet300-mnist[width=inf]", "option width of task lenet300-mnist takes a number in [0.01, 100], not 'inf'"),
    ],
)
def test_wrong_written_forms_of_tasks_are_rejected_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        get_task(text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_task_is_read_as_its_name_and_the_values_of_its_options() -> None:
    recipe = {"batch_size": None, "weight_decay": None}
    assert read_task("lenet300-mnist") == ("lenet300-mnist", {"width": 1.0, **recipe})
    assert read_task("lenet300-mnist[width=0.5]") == ("lenet300-mnist", {"width": 0.5, **recipe})
    assert canonical_task("lenet300-mnist[width=0.5]", width=0.25) == "lenet300-mnist[width=0.25]"


def test_options_of_a_task_are_the_parameters_of_its_function() -> None:
    def test_options(layers: int = 2, deep: bool = False, start: str | None = None, *, rate=0.5) -> Task:  # type: ignore[no-untyped-def]
        """A task with options of several types, one of them typed by its default."""
        given.append((layers, deep, start, rate))
        return toy_task()

    given: list[object] = []
    task(test_options)
    get_task("test-options[layers=3,deep=true,start=none,rate=1]")
    assert given == [(3, True, None, 1.0)]
    assert canonical_task("test-options[rate=0.50,deep=true,layers=2]") == "test-options[deep=true]"
    with pytest.raises(UsageError, match=r"takes a whole number, not '2\.5'"):
        get_task("test-options[layers=2.5]")


def test_an_option_of_another_type_is_rejected_in_one_sentence() -> None:
    def test_types(sizes: tuple[int, ...] = (1, 2), depth: Optional[int] = None) -> Task:  # noqa: UP045
        """A task with an option that no written form can hold."""
        return toy_task(classes=depth or 4)

    task(test_types)
    assert get_task("test-types[depth=3]").classes == 3
    with pytest.raises(UsageError, match=r"option sizes of task test-types has a type that no written form can"):
        get_task("test-types[sizes=1]")


class Nameless(Objective):
    pass


class Bigger(Regression):
    better = "bigger"  # type: ignore[assignment]


class Half(Objective):
    metric, better = "mean absolute error", "lower"

    def losses(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return (outputs - targets).abs().mean(2)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("model", torch.nn.Linear(16, 4), "model of task wrong is a Linear, not a function that returns one"),
        ("data", None, "data of task wrong is None, not a function"),
        ("objective", "regression", "objective of task wrong is a str, not an Objective such as Regression()"),
        ("objective", Nameless(), "metric of Nameless, the objective of task wrong, is None, not its name as a text"),
        ("objective", Bigger(), "better of Bigger, the objective of task wrong, is 'bigger', not higher or lower"),
        ("objective", Half(), "Half, the objective of task wrong, has no function scores, fault, chance, synthetic"),
        ("shape", 16, "shape of task wrong is 16, not a tuple of whole numbers such as (1, 28, 28)"),
        ("shape", (1, 4.0, 4), "not a tuple of whole numbers"),
        ("classes", 1, "classes of task wrong is 1, not a whole number >= 2"),
        ("epochs", 2.5, "epochs of task wrong is 2.5, not a whole number >= 1"),
        ("batch_size", 0, "batch_size of task wrong is 0"),
        ("vocabulary", -1, "vocabulary of task wrong is -1, not a whole number >= 0"),
        ("warmup", 5, "warmup of task wrong is 5, not a fraction of a phase in [0, 1)"),
        ("weight_decay", float("nan"), "weight_decay of task wrong is nan, not a number >= 0"),
        ("learning_rate", "0.1", "learning_rate of task wrong is '0.1', not a number above 0"),
        ("learning_rates", {"dwf": 0.0}, "learning_rate of dwf of task wrong is 0.0, not a number above 0"),
    ],
)
def test_a_field_of_another_type_or_range_is_refused(
    field: str, value: object, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = replace(toy_task(), **{field: value})  # type: ignore[arg-type]
    monkeypatch.setitem(TASKS, "wrong", lambda: made)
    with pytest.raises(UsageError) as refused:
        get_task("wrong")
    assert said in str(refused.value)
    assert any(line.startswith("wrong  ") for line in lines("tasks"))


def test_a_scheme_of_names_is_registered_once() -> None:
    @task_scheme("test:")
    def find(name: str) -> Callable[..., Task]:
        return lambda size=1: toy_task(classes=size + len(name))

    assert get_task("test:abc[size=4]").classes == 7
    assert canonical_task("test:abc[size=1]") == "test:abc"
    with pytest.raises(UsageError, match="registered already"):
        task_scheme("test:")(find)
