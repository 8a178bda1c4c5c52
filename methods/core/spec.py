"""The written form `name[option=value,...]` of methods and tasks: one parser and one printer.

A value may itself be a written form, as in `control[mask=snip[iterations=2]]`.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, cast

from methods.core.option_types import choices, holds, print_value, value_of

FORM = "a written form is name[option=value,option=value]"


class SpecError(ValueError):
    """A written form that is wrong, in one sentence with the valid choices."""


@dataclass(frozen=True)
class Option:
    """An option of a method or task: its name, type and default."""

    name: str
    kind: Any  # int, float, bool, str, a Literal, a number with a Range, or one of them `| None`
    default: Any = MISSING
    shown: bool = False  # printed even at its default
    needs: tuple[str, Any] | None = None  # another option and the value that it has where this one acts


@lru_cache(maxsize=1024)  # a sweep asks for the same few forms once for each of its runs
def name_of(text: str) -> str:
    """Return the name with which a written form begins; nothing is checked."""
    return text.partition("[")[0].strip()


def check_printable(text: str) -> None:
    """Raise SpecError for a name with control characters, which would steer the terminal that prints it."""
    if not text.isprintable():
        raise SpecError(f"the name {text!r} holds a character that cannot be printed; choose another name")


def split_form(text: str) -> tuple[str, Mapping[str, str]]:
    """Split a written form into its name and the text of each option.

    Raises SpecError for a name that cannot be printed, an unclosed bracket, text after the closing bracket, a part that
    is not option=value, and an option that is given twice.
    """
    text = text.strip()
    check_printable(name_of(text))
    start, end = text.find("["), _closing(text)
    if start < 0:
        return text, MappingProxyType({})
    if end < len(text) - 1:
        raise SpecError(f"{text!r} has text after its closing bracket; {FORM}")
    options: dict[str, str] = {}
    for part in _split(text[start + 1 : end]):
        option, equals, value = (piece.strip() for piece in part.partition("="))
        if not (option and equals and value):
            raise SpecError(f"{text!r} holds {part!r} where an option and its value should be; {FORM}")
        if option in options:
            raise SpecError(f"{text!r} gives option {option} twice")
        options[option] = value
    return text[:start].strip(), MappingProxyType(options)


def _closing(text: str) -> int:
    """Return the position of the bracket that closes the first one, or -1 where there is no bracket."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if depth < 0:
            raise SpecError(f"{text!r} closes a bracket that it does not open; {FORM}")
        if depth == 0 and character == "]":
            return position
    if depth:
        raise SpecError(f"{text!r} does not close its bracket; {FORM}")
    return -1


def _split(text: str) -> list[str]:
    """Split at the commas that are outside brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def split_list(text: str) -> list[str]:
    """Split a list of written forms, or of numbers, at the commas that are outside brackets; leave out empty parts."""
    return [part for part in _split(text) if part]


def near(name: str, choices: Iterable[str]) -> str:
    """Return a question that names the choice closest to a wrong name, or nothing if none is close."""
    close = difflib.get_close_matches(name, sorted(choices), 1, cutoff=0.65)
    return f" (did you mean {close[0]}?)" if close else ""


def options_of(owner: Callable[..., Any]) -> tuple[Option, ...]:
    """Return the options of a method, which are its dataclass fields, or of a task, which are its parameters."""
    return _options_of(cast(Hashable, owner))


@lru_cache(maxsize=1024)
def _options_of(owner: Any) -> tuple[Option, ...]:
    if isinstance(owner, type) and is_dataclass(owner):
        return tuple(
            Option(
                own.name,
                _annotation(owner, own.name),
                _default(own),
                bool(own.metadata.get("shown")),
                own.metadata.get("needs"),
            )
            for own in fields(owner)
            if own.init  # a field that no caller gives is a state of the method
        )
    options = []
    for name, parameter in inspect.signature(owner, eval_str=True).parameters.items():
        default = MISSING if parameter.default is parameter.empty else parameter.default
        kind = parameter.annotation
        if kind is parameter.empty:
            kind = float if default is MISSING or default is None else type(default)
        options.append(Option(name, kind, default))
    return tuple(options)


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _annotation(cls: type, name: str) -> Any:
    owner = next(base for base in cls.__mro__ if name in inspect.get_annotations(base))
    return inspect.get_annotations(owner, eval_str=True)[name]


def read_options(
    owner: str, given: Mapping[str, str], options: Iterable[Option], renamed: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Convert the text of each given option to a value of the option's type.

    `owner` is how messages call the method or task; `renamed` maps old names of options to their present ones. Raises
    SpecError for an unknown or missing option and for a value that an option cannot take.
    """
    known = {option.name: option for option in options}
    values: dict[str, Any] = {}
    for written, text in given.items():
        name = (renamed or {}).get(written, written)
        if name not in known:
            choices = f"its options are {', '.join(known)}" if known else "it has no options"
            raise SpecError(f"{owner} has no option {written!r}{near(written, known)}; {choices}")
        if name in values:
            raise SpecError(f"{owner} is given option {name} twice, once by its old name")
        values[name] = _convert(owner, known[name], text)
    if missing := [option.name for option in options if option.default is MISSING and option.name not in values]:
        raise SpecError(f"{owner} needs its options {', '.join(missing)}")
    return values


def _convert(owner: str, option: Option, text: str) -> Any:
    """Read the text of one value as the option's type says."""
    try:
        value = value_of(text, option.kind)
    except TypeError as error:
        raise SpecError(f"option {option.name} of {owner} has {error}") from None
    check_option(owner, option, value, text)
    return value


def check_option(owner: str, option: Option, value: Any, text: str | None = None) -> None:
    """Raise SpecError unless an option can have a value; `text` is how it was written."""
    if not holds(option.kind, value):
        shown = value if text is None else text
        raise SpecError(f"option {option.name} of {owner} takes {choices(option.kind)}, not {shown!r}")


def check_needs(owner: str, options: Iterable[Option], values: Mapping[str, Any]) -> None:
    """Raise SpecError for a value that changes nothing, because another option keeps its option from acting."""
    for option in options:
        if option.needs and values[option.name] != option.default and values[option.needs[0]] != option.needs[1]:
            needed = f"{option.needs[0]}={print_value(option.needs[1])}"
            raise SpecError(f"option {option.name} of {owner} acts only with {needed}; leave it out, or add {needed}")


def print_form(
    name: str, options: Iterable[Option], values: Mapping[str, Any], names: Mapping[str, str] | None = None
) -> str:
    """Return the written form: every option that differs from its default or is always shown, in the given order.

    `names` holds other names under which options are printed.
    """
    shown = [option for option in options if option.shown or values[option.name] != option.default]
    return f"{name}[{print_options(shown, values, names)}]" if shown else name


def print_options(options: Iterable[Option], values: Mapping[str, Any], names: Mapping[str, str] | None = None) -> str:
    """Return the options with their values, as they are written between the brackets."""
    pairs = ((option.name, print_value(values[option.name])) for option in options)
    return ",".join(f"{(names or {}).get(name, name)}={value}" for name, value in pairs)
