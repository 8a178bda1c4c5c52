"""Sentences of docstrings, comments and pages begin with their subject or their verb."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import ROOT

SOURCES = sorted(path for folder in ("benchmark", "methods", "plots") for path in (ROOT / folder).rglob("*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

WORDS = "Of|What|Whose|Which|Who"
FIRST = re.compile(rf"\W*({WORDS})\b", re.IGNORECASE)  # a comment may begin in lower case
LATER = re.compile(rf"[.!?:]\W+({WORDS})\b")


def offences(text: str) -> list[str]:
    """Return the beginnings of the sentences of a text that begin with one of WORDS."""
    found = [FIRST.match(text), *LATER.finditer(text)]
    return [text[match.start(1) :].partition("\n")[0][:60] for match in found if match]


def docstrings(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def comments(source: str) -> Iterator[str]:
    """Yield the comments of a file; whole-line comments that follow each other are one."""
    block, last = "", 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        text, line = token.string.lstrip("#: "), token.start[0]
        alone = token.line.lstrip().startswith("#")
        if block and alone and line == last + 1:
            block += f"\n{text}"
        else:
            yield block
            block = text
        last = line if alone else 0
    yield block


def paragraphs(page: str) -> Iterator[str]:
    """Yield the paragraphs, list items and table cells of a page, without its code."""
    page = re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE)
    page = re.sub(r"`[^`]*`", "CODE", page)
    for part in re.split(r"\n\s*\n|\n\s*(?=[-*] |\d+\. )|\||\n(?=#)", page):
        yield re.sub(r"^[\s#*_>-]*(\d+\. )?[*_]*", "", part)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Of one input.", ["Of one input."]),
        ("of every step", ["of every step"]),
        ("Return it. What is left stays.", ["What is left stays."]),
        ("Return the mask that keeps what is left, of which some stay.", []),
        ("Whatever happens, and offline.", []),
    ],
)
def test_a_sentence_that_begins_with_a_dangling_pronoun_is_found(text: str, expected: list[str]) -> None:
    assert offences(text) == expected


def test_comments_that_continue_each_other_are_one_text() -> None:
    assert list(comments("# It keeps the weights\n# of one layer.\nx = 1  # of two\n# of three\n"))[1:] == [
        "It keeps the weights\nof one layer.",
        "of two",
        "of three",
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_and_comments_begin_with_their_subject_or_verb(path: Path) -> None:
    source = path.read_text()
    texts = [*docstrings(source), *comments(source)]
    assert not [offence for text in texts for offence in offences(text)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sentences_of_pages_begin_with_their_subject_or_verb(path: Path) -> None:
    assert not [offence for text in paragraphs(path.read_text()) for offence in offences(text)]
