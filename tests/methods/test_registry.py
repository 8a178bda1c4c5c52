"""The registry of methods: written forms, plugins, and lists that import no torch."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from methods import Masked
from methods.core.option_types import choices, holds
from methods.core.plugins import load_plugin
from methods.core.registry import METHODS, MethodError, check_value, parse, register, signature
from methods.core.spec import Option, SpecError, options_of, split_list


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("dense", "dense"),
        ("dwf", "dwf[depth=3]"),
        ("shallow", "dwf[depth=2]"),
        ("shallow[threshold=1e-4]", "dwf[depth=2,threshold=0.0001]"),
        (" dwf[ threshold=1e-4 , depth=4 ]", "dwf[depth=4,threshold=0.0001]"),
        ("magnitude[finetune=0]", "magnitude[finetune=0]"),
        ("magnitude[finetune=0.5]", "magnitude"),
        ("random[distribution=erk]", "random[distribution=erk]"),
    ],
)
def test_one_method_has_one_printed_form(text: str, printed: str) -> None:
    assert str(parse(text)) == printed
    assert str(parse(printed)) == printed


@given(depth=st.integers(1, 64), threshold=st.floats(0, 1), epsilon=st.floats(0, 0.99))
def test_parsing_undoes_printing(depth: int, threshold: float, epsilon: float) -> None:
    options = {"depth": depth, "init": "truncated", "threshold": threshold, "epsilon": epsilon}
    method = METHODS["dwf"](**options)
    assert parse(str(method)) == method


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("dfw", ["'dfw'", "dwf", "magnitude", "shallow"]),
        ("dwf[dept=3]", ["'dept'", "depth", "threshold"]),
        ("dense[depth=3]", ["dense has no option"]),
        ("dwf[depth=0]", ["depth", "a whole number in [1, 100]"]),
        ("dwf[depth=2.5]", ["depth", "whole number", "'2.5'"]),
        ("dwf[threshold=small]", ["threshold", "number"]),
        ("dwf[threshold=nan]", ["threshold"]),
        ("random[distribution=spherical]", ["global", "uniform", "erk", "'spherical'"]),
        ("magnitude[finetune=1]", ["finetune", "[0, 1)"]),
        ("snip[batches=0]", ["batches", "a whole number in [1, "]),
        ("dwf[depth=3", ["does not close", "name[option=value"]),
        ("dwf[depth=3]x", ["after its closing bracket"]),
        ("control[mask=snip[batches=2]", ["does not close"]),
        ("dwf[depth]", ["name[option=value"]),
        ("dwf[depth=2,depth=3]", ["twice"]),
        ("", ["methods are"]),
    ],
)
def test_wrong_written_forms_of_methods_are_rejected_in_one_sentence(text: str, named: list[str]) -> None:
    with pytest.raises(MethodError) as refused:
        parse(text)
    assert all(name in str(refused.value) for name in named)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("l1[penalty_weight=-1]", r"\[0, 1e6\], not '-1'"),
        ("powerprop[alpha=0.5]", r"a number in \[1, 100\]"),
        ("powerprop[finetune=1]", "option finetune of method powerprop"),
        ("ham[mask=dense]", "masks the weights themselves"),
        ("ham[mask=powerprop]", "masks the weights themselves"),
        ("ham[mask=nothing]", "there is no method"),
        ("ham[mask=control[mask=dwf[depth=2]]]", "masks the weights themselves"),
        ("prox-lq[q=0.7]", "one of 1/2, 2/3"),
        ("pwd[p=2]", "option p of method pwd takes a number in"),
        ("rewa[k=0.5]", "option k of method rewa takes a number in"),
        ("rewa[k=3,m=2.5]", "the m of rewa is a number in"),
        ("snip[iterations=0]", "a whole number in"),
        ("synflow[iterations=0]", "a whole number in"),
        ("grasp[per_class=0]", "a whole number in"),
        ("grasp[temperature=0]", "a number in"),
        ("gmp[update_start=0.5,update_end=0.5]", "start < end"),
        ("gmp[interval=0]", "option interval of method gmp"),
        ("acdc[warmup=0.5,final=0.6]", "warmup"),
        ("imp[rounds=-1]", r"takes a whole number in \[0, 100\]"),
        ("imp[share=1]", "option share of method imp"),
        ("imp[point=1]", "option point of method imp"),
        ("rigl[drop_fraction=0]", "option drop_fraction of method rigl"),
        ("set[interval=2]", "option interval of method set"),
        ("set[update_end=2]", "option update_end of method set"),
        ("control[mask=dense]", "makes weights zero"),
        ("dense\x1b[2J", r"the name 'dense\\x1b' holds a character that cannot be printed"),
        ("prune-after[mask=l1[by=penalty,distribution=erk]]", "distribution of method l1 acts only with by=density"),
    ],
)
def test_invalid_options_are_rejected(text: str, reason: str) -> None:
    with pytest.raises(MethodError, match=reason):
        parse(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("dwf[epsilon=0]", "option epsilon of method dwf acts only with init=truncated"),
        ("dwf[init=root,rescale=true]", "rescale of method dwf acts only with init=truncated"),
        ("imp[share=0.5,rounds=2]", "option share of method imp acts only with rounds=0"),
        ("imp[rewind=rate,point=0.5]", "option point of method imp acts only with rewind=weights"),
        ("l1[by=penalty,penalty_weight=1]", "option penalty_weight of method l1 acts only with by=density"),
        ("control[mask=dwf[epsilon=0]]", "option epsilon of method dwf acts only with init=truncated"),
    ],
)
def test_an_option_that_changes_nothing_is_refused_for_a_run(text: str, reason: str) -> None:
    with pytest.raises(MethodError, match=reason):
        check_value(parse(text), 0.5)


@pytest.mark.parametrize(
    ("method", "good", "bad"),
    [
        ("snip", [1, 0.5, 1e-9], [0, -0.1, 1.01, float("nan")]),
        ("dwf", [0, 5, 1e3], [-1, float("inf"), float("nan")]),
        ("dense", [1], [0.5]),
    ],
)
def test_values_outside_the_range_of_the_knob_are_rejected(method: str, good: list[float], bad: list[float]) -> None:
    for value in good:
        check_value(parse(method), value)
    for value in bad:
        with pytest.raises(MethodError, match=method):
            check_value(parse(method), value)


NUMERIC = [
    (name, option) for name, cls in METHODS.items() for option in options_of(cls) if choices(option.kind)[:2] == "a "
]


@pytest.mark.parametrize(("name", "option"), NUMERIC, ids=[f"{name}-{option.name}" for name, option in NUMERIC])
def test_every_number_has_a_range(name: str, option: Option) -> None:
    plain = get_args(option.kind)[0] if NoneType in get_args(option.kind) else option.kind
    low, high = map(float, get_args(plain)[1].written[1:-1].split(","))
    outside = ["nan", "inf", "-inf", "1e300", "-1e300", "9" * 400, repr(low - 1), repr(high + 1)]
    for text in outside:
        with pytest.raises(MethodError, match=rf"option {option.name} of method {name} takes a .*number in .*, not"):
            parse(f"{name}[{option.name}={text}]")
    with pytest.raises(MethodError, match="where an option and its value should be"):
        parse(f"{name}[{option.name}=]")
    for number in (math.nan, math.inf, 1e300, low - 1, 10**400):
        with pytest.raises(MethodError, match=rf"option {option.name} of method {name}"):
            METHODS[name](**{option.name: number})
    assert holds(option.kind, option.default)


def test_commas_in_brackets_do_not_split() -> None:
    assert split_list("dense, dwf[depth=4,threshold=0.1] ,snip,") == ["dense", "dwf[depth=4,threshold=0.1]", "snip"]


def test_a_name_is_registered_once() -> None:
    with pytest.raises(MethodError, match="registered already"):
        register("snip", knob="density")(METHODS["snip"])


@pytest.mark.parametrize("name", METHODS)
def test_every_method_prints_its_options_and_has_a_docstring(name: str) -> None:
    assert str(parse(signature(METHODS[name]))) == str(parse(name))
    assert len(METHODS[name].__doc__ or "") > 60


def test_boolean_options_parse() -> None:
    """The text `false` is not true, although it is not empty."""
    from dataclasses import dataclass

    from methods.core.base import Method

    @register("test-boolean", knob="none")
    @dataclass
    class Switch(Method):
        """A method with a switch."""

        on: bool = True

    assert [parse(f"test-boolean[on={text}]").on for text in ("true", "False")] == [True, False]  # type: ignore[attr-defined]
    with pytest.raises(MethodError, match="true or false"):
        parse("test-boolean[on=0]")
    assert str(parse("test-boolean[on=false]")) == "test-boolean[on=false]"


def test_optional_options_parse() -> None:
    from dataclasses import dataclass

    from methods.core.base import Method

    @register("test-optional", knob="none")
    @dataclass
    class Optional(Method):
        """A method with an option that may be none."""

        width: int | None = None

    assert [parse(f"test-optional[width={text}]").width for text in ("3", "none")] == [3, None]  # type: ignore[attr-defined]
    assert str(parse("test-optional[width=3]")) == "test-optional[width=3]"
    with pytest.raises(SpecError, match=r"'test\\x1b' holds a character that cannot be printed"):
        register("test\x1b", knob="none")
    with pytest.raises(MethodError, match="dataclass"):
        register("test-plain", knob="none")(type("Plain", (Method,), {}))


def test_plugins_with_the_same_file_name_are_two_plugins(tmp_path: Path) -> None:
    from benchmark.tasks.registry import TASKS

    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        plugin = tmp_path / folder / "mine.py"
        plugin.write_text(f"from benchmark import task\n@task\ndef test_{folder}():\n    'A task.'\n")
        load_plugin(plugin)
        load_plugin(plugin)  # once is enough
    assert TASKS["test-a"].__doc__ == TASKS["test-b"].__doc__ == "A task."


def test_a_plugin_that_does_not_load_is_named(tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="a plugin is a Python file"):
        load_plugin(tmp_path / "missing.py")
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0")
    with pytest.raises(MethodError, match="ZeroDivisionError"):
        load_plugin(broken)


def test_listing_methods_imports_no_torch() -> None:
    """Lists import no torch, so they are printed at once."""
    code = (
        "import sys; from benchmark.cli import commands;"
        "[commands.list_(what) for what in ('methods', 'tasks', 'experiments')];"
        "print('torch._C' in sys.modules, 'numpy' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert answer.splitlines()[-1] == "False False"
    assert "dwf[depth=3" in answer


@pytest.mark.parametrize(
    ("old", "present"),
    [
        ("gmp[after=0.3,until=0.9]", "gmp[update_start=0.3,update_end=0.9]"),
        ("set[drop=0.5,stop=0.5]", "set[drop_fraction=0.5,update_end=0.5]"),
        ("control[mask=rigl[drop=0.5]]", "control[mask=rigl[drop_fraction=0.5],kind=shuffle]"),
    ],
)
def test_old_names_of_options_are_read_and_present_ones_are_printed(old: str, present: str) -> None:
    assert str(parse(old)) == present


def test_every_method_names_its_family() -> None:
    families = {cls.family for cls in METHODS.values() if cls.__module__.startswith("methods.")}
    assert families == {
        "factorization", "penalty", "during training", "before training", "dynamic", "control", "dense"
    }  # fmt: skip
    assert METHODS["powerprop"].family == METHODS["magnitude"].family == "during training"


def test_fields_that_no_caller_gives_are_no_options() -> None:
    @dataclass
    class Counts(Masked):
        seen: int = field(default=0, init=False)
        share: float = field(default_factory=lambda: 0.5)

    assert [(option.name, option.default) for option in options_of(Counts)] == [("share", 0.5)]
    method = Counts()
    method.seen = 1
    with pytest.raises(MethodError, match="sets seen, which it must list in state_names"):
        method.state_dict()


def test_a_name_that_a_legend_would_leave_out_is_refused() -> None:
    with pytest.raises(MethodError, match="begins with `_`"):
        register("_mine", knob="density")
