"""The methods by name, and their written form `name[option=value,...]`: one parser, one printer."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

if TYPE_CHECKING:
    from methods.core.base import Method

    M = TypeVar("M", bound=Method)

METHODS: dict[str, type[Method]] = {}
ALIASES: dict[str, str] = {}

# What a sweep turns: the words for its range, and the test of it.
KNOBS: dict[str, tuple[str, Callable[[float], bool]]] = {
    "density": ("a share of the weights, in (0, 1]", lambda value: 0 < value <= 1),
    "strength": ("a finite number >= 0", lambda value: 0 <= value < float("inf")),
    "penalty": ("a finite number >= 0", lambda value: 0 <= value < float("inf")),
    "none": ("1: there is nothing to turn", lambda value: value == 1),
}


class MethodError(ValueError):
    """A method, option or value that does not exist, in one sentence with the valid choices."""


def register(name: str, knob: Literal["density", "strength", "penalty", "none"]) -> Callable[[type[M]], type[M]]:
    """Give a dataclass of options its name and the knob that a sweep turns."""

    def decorate(cls: type[M]) -> type[M]:
        if name in METHODS or name in ALIASES:
            raise MethodError(f"a method named {name!r} is registered already")
        if not is_dataclass(cls):
            raise MethodError(f"method {name!r} is no dataclass; put @dataclass between @register and the class")
        if knob not in KNOBS:
            raise MethodError(f"method {name!r} has no knob {knob!r}; knobs are {', '.join(KNOBS)}")
        cls.name, cls.knob = name, knob
        METHODS[name] = cls
        return cls

    return decorate


def register_alias(name: str, written: str) -> None:
    """Let `name` stand for a method with options; more options may follow it in brackets."""
    ALIASES[name] = written


def parse(text: str) -> Method:
    """The method that a written form stands for; `str(method)` prints it back.

    Raises MethodError for an unknown method or option and for a value that an option cannot take.
    """
    name, options = _split(text)
    if name in ALIASES:
        name, implied = _split(ALIASES[name])
        options = implied | options
    if name not in METHODS:
        raise MethodError(f"there is no method {name!r}; methods are {', '.join(sorted(METHODS | ALIASES))}")
    cls = METHODS[name]
    known = {option.name: option for option in fields(cls)}
    for option in options:
        if option not in known:
            choices = f"its options are {', '.join(known)}" if known else "it has no options"
            raise MethodError(f"method {name} has no option {option!r}; {choices}")
    return cls(**{option: _convert(cls, known[option], value) for option, value in options.items()})


def _split(text: str) -> tuple[str, dict[str, str]]:
    name, bracket, rest = text.strip().partition("[")
    if not bracket:
        return name, {}
    pairs = [pair.partition("=") for pair in split_list(rest.removesuffix("]"))]
    if not rest.endswith("]") or not all(option.strip() and equals for option, equals, _ in pairs):
        raise MethodError(f"{text!r} is not of the form name[option=value,option=value]")
    if len({option.strip() for option, _, _ in pairs}) < len(pairs):
        raise MethodError(f"{text!r} gives an option twice")
    return name.strip(), {option.strip(): value.strip() for option, _, value in pairs}


def split_list(text: str) -> list[str]:
    """Split at the commas that stand outside brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def _convert(cls: type[Method], option: Field[Any], text: str) -> Any:
    """Read an option's value as its annotated type says: int, float, bool, str or a Literal of strings."""
    owner = next(base for base in cls.__mro__ if option.name in vars(base).get("__annotations__", {}))
    kind = inspect.get_annotations(owner, eval_str=True)[option.name]
    if isinstance(kind, UnionType):  # such as int | None
        if text.lower() == "none":
            return None
        kind = next(one for one in get_args(kind) if one is not NoneType)
    if get_origin(kind) is Literal:
        valid, choices = text in get_args(kind), f"one of {', '.join(get_args(kind))}"
        convert: Callable[[str], Any] = str
    elif kind is bool:
        valid, choices, convert = text.lower() in ("true", "false"), "true or false", lambda t: t.lower() == "true"
    else:
        valid, choices, convert = True, {int: "a whole number", float: "a number"}.get(kind, "text"), kind
    try:
        if valid:
            return convert(text)
    except ValueError:
        pass
    raise MethodError(f"option {option.name} of method {cls.name} takes {choices}, not {text!r}")


def write(method: Method, defaults: bool = False) -> str:
    """The written form of a method: options that differ from their default and those marked as always shown."""
    shown = [
        f"{option.name}={_text(getattr(method, option.name))}"
        for option in fields(method)
        if defaults or option.metadata.get("shown") or getattr(method, option.name) != option.default
    ]
    return f"{method.name}[{','.join(shown)}]" if shown else method.name


def _text(value: object) -> str:
    if isinstance(value, bool | None):
        return str(value).lower()
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def check_value(method: Method, value: float) -> None:
    """Raise MethodError unless the method's knob can be turned to `value`."""
    words, holds = KNOBS[method.knob]
    if not holds(value):
        raise MethodError(f"the {method.knob} of {method} must be {words}, not {value:g}")


def load_plugin(path: str | Path) -> None:
    """Run a file of a user's own, which registers methods and tasks as the files of this repository do."""
    path = Path(path).resolve()
    name = f"sparsefront_plugin_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return
    if not path.is_file() or path.suffix != ".py":
        raise MethodError(f"there is no plugin {path}; a plugin is a Python file")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        if isinstance(error, MethodError):
            raise
        raise MethodError(f"plugin {path} does not load: {type(error).__name__}: {error}") from error


def signature(cls: type[Method]) -> str:
    """The written form of a method with all its options at their defaults."""
    shown = [f"{option.name}={'...' if option.default is MISSING else _text(option.default)}" for option in fields(cls)]
    return f"{cls.name}[{','.join(shown)}]" if shown else cls.name
