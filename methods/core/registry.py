"""The methods by name: their registration, and their written forms."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import is_dataclass
from functools import lru_cache
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from methods.core.option_types import ratio
from methods.core.spec import (
    SpecError,
    check_needs,
    check_option,
    check_printable,
    name_of,
    near,
    options_of,
    print_form,
    print_options,
    read_options,
    split_form,
)

if TYPE_CHECKING:
    from methods.core.base import Method

    M = TypeVar("M", bound=Method)

METHODS: dict[str, type[Method]] = {}
ALIASES: dict[str, str] = {}

# The knobs that a sweep turns: the range in words, and its test.
KNOBS: dict[str, tuple[str, Callable[[float], bool]]] = {
    "density": ("a share of the weights, in (0, 1]", lambda value: 0 < value <= 1),
    "strength": ("a finite number >= 0", lambda value: 0 <= value < float("inf")),
    "penalty": ("a finite number >= 0", lambda value: 0 <= value < float("inf")),
    "none": ("1: there is nothing to turn", lambda value: value == 1),
}


class MethodError(SpecError):
    """A method, option or value that does not exist, in one sentence with the valid choices."""


def register(name: str, knob: Literal["density", "strength", "penalty", "none"]) -> Callable[[type[M]], type[M]]:
    """Register a dataclass of options under a name, with the knob that a sweep turns."""
    _check_name(name)

    def decorate(cls: type[M]) -> type[M]:
        if name in METHODS or name in ALIASES:
            raise MethodError(f"a method named {name!r} is registered already")
        if not is_dataclass(cls):
            raise MethodError(f"method {name!r} is no dataclass; put @dataclass between @register and the class")
        if not hasattr(cls, "on_phase_start"):  # Method itself is not imported here, since it imports this module
            raise MethodError(f"method {name!r} is no Method; derive its class from Masked or Method")
        if knob not in KNOBS:
            raise MethodError(f"method {name!r} has no knob {knob!r}; knobs are {', '.join(KNOBS)}")
        cls.name, cls.knob = name, knob
        METHODS[name] = cls
        return cls

    return decorate


def register_alias(name: str, written: str) -> None:
    """Register another name of a method with options; more options may follow it in brackets."""
    _check_name(name)
    if name in METHODS or name in ALIASES or name_of(written) not in METHODS:
        raise MethodError(f"{name!r} cannot be another name of {written!r}: it is taken, or there is no such method")
    ALIASES[name] = written


def _check_name(name: str) -> None:
    """Raise MethodError for a name that no written form could hold."""
    check_printable(name)
    if not name or name != name.strip() or set(name) & set("[],=") or name.startswith("_"):
        raise MethodError(
            f"the name {name!r} is empty, begins with `_`, or holds a bracket, a comma, `=` or a space at an end"
        )


def parse(text: str) -> Method:
    """Return the method that a written form names; `str(method)` prints the form back.

    Raises MethodError for an unknown method or option and for a value that an option cannot take.
    """
    cls, options = read_form(text)
    return cls(**options)


def canonical_form(text: str) -> str:
    """Return the one written form of a method; raise MethodError as `parse` does."""
    if not isinstance(text, str):
        return str(parse(text))
    name = name_of(text)
    return _canonical_form(text, cast(Hashable, METHODS.get(name)), ALIASES.get(name))


@lru_cache(maxsize=1024)  # a sweep asks for the same few forms once for each of its runs
def _canonical_form(text: str, registered: Hashable, alias: str | None) -> str:
    return str(parse(text))


def read_form(text: str) -> tuple[type[Method], dict[str, Any]]:
    """Return the class that a written form names, and the options that it gives."""
    if not isinstance(text, str):
        raise MethodError(f"a method is a written form, such as 'dwf[depth=3]', not {text!r}")
    try:
        name, given = split_form(text)
        if name in ALIASES:
            name, implied = split_form(ALIASES[name])
            given = {**implied, **given}
        if name not in METHODS:
            choices = sorted(METHODS | ALIASES)
            raise MethodError(f"there is no method {name!r}{near(name, choices)}; methods are {', '.join(choices)}")
        cls = METHODS[name]
        return cls, read_options(f"method {name}", given, options_of(cls), _renamed(cls))
    except SpecError as error:
        raise MethodError(str(error)) from None


def _renamed(cls: type[Method]) -> dict[str, str]:
    """Return the present names of a method's options by their old names."""
    return getattr(cls, "renamed", {})


def written_form(method: Method) -> str:
    """Return the written form of a method: the options that differ from their default or are always shown."""
    return _print(method)


def label(method: Method) -> str:
    """Return the written form without the zero threshold."""
    return _print(method, without="threshold")


def first_written_form(method: Method) -> str:
    """Return the written form with the names that options had first; it stands in keys, so that renaming moves none."""
    return _print(method, first_names=True)


def _print(method: Method, without: str = "", first_names: bool = False) -> str:
    """Print a method, and the method inside, which stands in one of its options, in the same way."""
    options = [option for option in options_of(type(method)) if option.name != without]
    values = vars(method)
    if inner := method.inner:
        printed = _print(inner, without, first_names)
        values = {name: printed if value == str(inner) else value for name, value in values.items()}
    names = {present: first for first, present in _renamed(type(method)).items()} if first_names else {}
    return print_form(method.name, options, values, names)


def written_options(method: Method) -> str:
    """Return every option of a method with its value, as they are written between the brackets."""
    return print_options(options_of(type(method)), vars(method))


def signature(cls: type[Method]) -> str:
    """Return the written form of a method with all its options at their defaults."""
    options = options_of(cls)
    printed = print_options(options, {option.name: option.default for option in options})
    return f"{cls.name}[{printed}]" if printed else cls.name


def check_options(method: Method) -> None:
    """Raise MethodError unless every option of a method has a value of its type and range."""
    try:
        for option in options_of(type(method)):
            check_option(_called(method), option, getattr(method, option.name))
    except SpecError as error:
        raise MethodError(str(error)) from None


def _called(method: Method) -> str:
    """Return how messages call a method; a base class is not registered and has no name."""
    return f"method {getattr(method, 'name', type(method).__name__)}"


def check_value(method: Method, value: float) -> None:
    """Raise MethodError unless the method's knob can be turned to `value`, at a budget that the method allows.

    All options that are given have to act. `parse` does not ask for it, since rows of older versions hold others.
    """
    try:
        check_needs(_called(method), options_of(type(method)), vars(method))
    except SpecError as error:
        raise MethodError(str(error)) from None
    words, holds = KNOBS[method.knob]
    if isinstance(value, bool) or not isinstance(value, Real):
        raise MethodError(f"the {method.knob} of {method} must be a number, not {value!r}")
    if not holds(value):
        raise MethodError(f"the {method.knob} of {method} must be {words}, not {value:g}")
    numbers = ratio(getattr(method, "distribution", ""))
    if numbers and not math.isclose(value, numbers[0] / numbers[1], rel_tol=1e-5):
        n, m = numbers
        raise MethodError(f"{method} keeps {n} of every {m} weights, so its density must be {n / m:g}, not {value:g}")
    phases = method.phases_at(value)
    if not isinstance(phases, tuple) or not sum(phases):
        raise MethodError(f"the phases of {method} must be a tuple of numbers of budgets, as in (1.0,), not {phases!r}")
    if method.inner and method.inner.knob == method.knob:
        check_value(method.inner, value)
