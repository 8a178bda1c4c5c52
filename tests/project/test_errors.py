"""The text of an error fits a row and a terminal, whatever was raised."""

from __future__ import annotations

import pytest

from benchmark.errors import MOST_CHARACTERS, error_text


class Faulty(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("two\nlines\tof text"), "ValueError: two lines of text"),
        (ValueError("caf\udce9"), r"ValueError: caf\udce9"),
        (ValueError("\x1b]0;title\x07"), r"ValueError: \x1b]0;title\x07"),
        (ValueError("90 \N{PLUS-MINUS SIGN} 1"), "ValueError: 90 \N{PLUS-MINUS SIGN} 1"),
        (Faulty(), "Faulty"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_an_error_is_one_line_without_control_characters(error: BaseException, text: str) -> None:
    assert error_text(error) == text


def test_an_error_without_a_message_names_the_line_that_raised_it() -> None:
    with pytest.raises(AssertionError) as raised:
        exec(compile("assert 1 > 2", __file__, "exec"))
    assert error_text(raised.value).startswith("AssertionError: at `")


def test_a_long_text_is_cut() -> None:
    text = error_text(ValueError("H" * 300_000))
    assert len(text) < MOST_CHARACTERS + 50 and text.endswith("... (300012 characters)")
