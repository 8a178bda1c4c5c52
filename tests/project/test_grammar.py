"""A single module parses written forms `name[option=value,...]`."""

from __future__ import annotations

import re

from tests.builders import ROOT

ALLOWED = ROOT / "methods" / "core" / "spec.py"
# Code that looks for the brackets of a written form, in text or by a regular expression.
BY_HAND = re.compile(
    r"""(partition|split|find|index|removesuffix|removeprefix|endswith|startswith|strip)\(\s*(rf?|f)?["'][^"'\n]*[\[\]]"""
    r"""|re\.\w+\(\s*(rf?|f)?["'][^"'\n]*(threshold=|width=|\\\[[^"'\n]*=)|["']\[["'] (not )?in """
    r"""|str\.(extract|replace)\(\s*r?["'][^"'\n]*=""",
)


def by_hand(folders: tuple[str, ...]) -> list[str]:
    """List the lines of code that parse a written form."""
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            lines = path.read_text(encoding="utf-8").splitlines()
            found += [
                f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
                for number, line in enumerate(lines, 1)
                if path != ALLOWED and BY_HAND.search(line)
            ]
    return found


def test_written_forms_are_parsed_in_one_module() -> None:
    assert by_hand(("benchmark", "methods", "plots")) == []


def test_the_search_finds_hand_parsing() -> None:
    for line in (
        'name = method.partition("[")[0]',
        'rest.removesuffix("]").split(",")',
        'options = text.split("[", 1)',
        'if "[" in written:',
        're.sub(r"(?<=[\\[,])threshold=[^,]*", "", method)',
        'tasks.str.extract(r"^([^\\[]+)\\[width=")',
        'options.str.replace(r"threshold=[^,]*", "")',
    ):
        assert BY_HAND.search(line), line
    assert not BY_HAND.search('version.partition(":")[0]')
