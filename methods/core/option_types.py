"""The types of options: whole numbers, numbers, both also in a range, texts, choices, true or false, and none."""

from __future__ import annotations

import math
import re
from dataclasses import MISSING, dataclass
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin


@dataclass(frozen=True)
class Range:
    """A range in the notation of intervals: [0, 1) holds 0 and does not hold 1.

    `Annotated[float, Range("[0, 1)")]` is the type of an option in this range. NaN is in no range.
    """

    written: str

    def __contains__(self, number: float) -> bool:
        low, high = map(float, self.written[1:-1].split(","))
        inside = low <= number <= high
        return inside and (number > low or self.written[0] == "[") and (number < high or self.written[-1] == "]")


@dataclass(frozen=True)
class Ratio:
    """The texts N:M with whole numbers 0 < N < M, such as 2:4."""

    written: ClassVar[str] = "N:M with 0 < N < M, such as 2:4"

    def __contains__(self, text: str) -> bool:
        numbers = ratio(text)
        return numbers is not None and numbers[0] < numbers[1]


def ratio(text: str) -> tuple[int, int] | None:
    """Return the numbers N and M of a text N:M, or None for another text."""
    found = re.fullmatch(r"([1-9][0-9]{0,5}):([1-9][0-9]{0,5})", text)
    return (int(found[1]), int(found[2])) if found else None


# A share of the budget, or of the weights that are left; the names say which ends belong to it.
ShareFrom0 = Annotated[float, Range("[0, 1)")]
ShareTo1 = Annotated[float, Range("(0, 1]")]
ShareFrom0To1 = Annotated[float, Range("[0, 1]")]


def value_of(text: str, kind: Any) -> Any:
    """Return the value of a type that a text writes, or the text itself if it writes none.

    Raises TypeError for a type that no text can write.
    """
    if get_origin(kind) in (Union, UnionType):  # such as int | None
        if text.lower() == "none":
            return None
        kind = next(one for one in get_args(kind) if one is not NoneType)
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return {print_value(choice): choice for choice in get_args(kind)}.get(text, text)
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind not in (int, float, str):
        raise TypeError(f"a type that no written form can hold: {kind}")
    try:
        return kind(text) + 0.0 if kind is float else kind(text)  # 0.0 and not -0.0, which computes the same
    except ValueError:
        return text


def holds(kind: Any, value: Any) -> bool:
    """Tell whether a type of options has a value; NaN and infinity, which train nothing, are in no type."""
    if get_origin(kind) in (Union, UnionType):
        return any(holds(one, value) for one in get_args(kind))
    if get_origin(kind) is Annotated:
        plain, *ranges = get_args(kind)
        return holds(plain, value) and all(value in one for one in ranges if isinstance(one, Range | Ratio))
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if kind is NoneType:
        return value is None
    if kind in (int, float):
        number = isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
        return number and -math.inf < value < math.inf
    return isinstance(value, kind) if kind in (bool, str) else True


def choices(kind: Any) -> str:
    """Return in words which values a type of options has."""
    if get_origin(kind) in (Union, UnionType):
        return " or ".join("none" if one is NoneType else choices(one) for one in get_args(kind))
    if get_origin(kind) is Annotated:
        plain, *ranges = get_args(kind)
        if any(isinstance(one, Ratio) for one in ranges):
            return Ratio.written
        return choices(plain) + "".join(f" in {one.written}" for one in ranges if isinstance(one, Range))
    if get_origin(kind) is Literal:
        return f"one of {', '.join(print_value(choice) for choice in get_args(kind))}"
    words: dict[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    return words.get(kind, str(kind))


def print_value(value: object) -> str:
    """Return a value as text that reads back the same."""
    if value is MISSING:
        return "..."
    if isinstance(value, bool | None):
        return str(value).lower()
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
