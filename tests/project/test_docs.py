"""The blocks of the documentation hold what the code and the published results say now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmark.cli.method_table import method_table
from benchmark.errors import UsageError
from plots.doc_blocks import BLOCKS
from plots.docs import BLOCK, Block, filled, pages, stale_blocks, update
from plots.readings import LEVELS
from tests.builders import ROOT, sparsefront

ALL = {**BLOCKS, "methods": method_table}
FINDINGS = sorted((ROOT / "docs" / "findings").glob("*.md"))


@pytest.mark.parametrize("page", pages(ROOT), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_blocks_of_a_page_are_up_to_date(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    stale = stale_blocks(page, ALL)
    assert not stale, f"{page.name}: run `sparsefront docs` to fill the blocks {', '.join(stale)}"


def test_the_large_tables_of_the_findings_are_blocks() -> None:
    found = [path.read_text().count("<!-- begin: ") for path in FINDINGS]
    assert sum(found) >= 15 and min(found) >= 1


@pytest.mark.parametrize("page", pages(ROOT), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_number_never_begins_a_line_where_markdown_would_take_it_for_a_block_of_html(page: Path) -> None:
    for line in page.read_text().splitlines():
        assert not line.startswith("<!-- ") or line.endswith(" -->"), line


# Numbers of the findings that no published CSV holds, each as its sentence has it, with the reason.
ALLOWED = {
    "87.2 % at CR 15, 86.9 % at 83 and 86.2 % at 234, about 2.5 points": "trials that are not kept",
    "moved by 0.2 to 0.3 points": "a repetition that is not kept",
    "below about 0.5 points on Fashion-MNIST and 0.25 points on MNIST": "a rule of thumb",
    "below about 0.7 and 0.35 points": "a rule of thumb",
    "98.4 to 98.7 %": "literature",
    "near CR 3 to 1,000": "a setting of the search",
    "At CR 300:": "a setting of the experiment",
    "simultaneous 95 % intervals": "a level of confidence",
    "the 95 % interval of": "a level of confidence",
    "more than 5 % of those": "a limit of the note below leaderboards",
    "reach about 0.3 points": "a rule of thumb",
    "Chance is 11.35 %": "a property of the data set",
    "98.5, 98.0 and 97.6 %": "literature",
    "75.0 % at a density of 0.08, 65.6 % dense, 41.7 % at 0.01": "literature",
    "standard error of 1.4 points": "a property of the test set",
    "98.1 and 95.8 %": "literature",
    "ended below 79 %": "a limit that the block before it counts with",
    "chosen at 85 % of the budget": "a setting of the method",
}
NUMBER = r"\d[\d,]*(?:\.\d+)?"
MEASURED = re.compile(
    rf"(?:{NUMBER}(?:, | and | to ))*{NUMBER} %|\d+\.\d+ points|(?:CR|compression of) (?P<level>{NUMBER})(?! ?%)"
)


def copied(page: str) -> list[str]:
    """Return the accuracies, differences and compressions that a page holds outside its blocks, with a few words.

    The compressions of the tables' columns are settings, not measurements.
    """
    text = BLOCK.sub("\N{EM DASH}", re.sub(r"```.*?```|`[^`]*`", "", page, flags=re.DOTALL))
    text = " ".join(text.split())
    for phrase in ALLOWED:
        text = text.replace(phrase, "")
    found = [match for match in MEASURED.finditer(text) if not _is_level(match["level"])]
    return [text[max(0, match.start() - 40) : match.end()] for match in found]


def _is_level(number: str | None) -> bool:
    return number is not None and float(number.strip(",").replace(",", "")) in LEVELS


@pytest.mark.parametrize("page", [ROOT / "README.md", *FINDINGS], ids=lambda page: page.name)
def test_no_measured_number_is_copied_by_hand(page: Path) -> None:
    found = copied(page.read_text())
    assert not found, f"put these numbers into blocks, which `sparsefront docs` fills, or allow them here: {found}"


def test_every_number_that_is_allowed_by_hand_is_still_in_the_findings() -> None:
    text = " ".join(" ".join(page.read_text().split()) for page in FINDINGS)
    assert [phrase for phrase in ALLOWED if phrase not in text] == []


@pytest.mark.parametrize(
    "sentence",
    [
        "gmp has 89.0 % there",
        "both have 89.0 and\n87 %",
        "it is 1.65 points ahead",
        "up to CR 32",
        "a compression of 1,294",
    ],
)
def test_a_number_that_is_copied_by_hand_is_found(sentence: str) -> None:
    assert len(copied(sentence)) == 1


def test_blocks_code_and_the_compressions_of_columns_are_not_copied_numbers() -> None:
    assert copied("<!-- begin: mean families gmp 0.02 -->89.0<!-- end --> % at CR 50, `CR 2.0, 97.78 %`, CR 200.") == []


def test_a_number_stays_in_its_sentence_and_a_table_has_its_own_lines() -> None:
    blocks: dict[str, Block] = {"number": lambda: "7", "table": lambda name: f"| {name} |\n|---|"}
    page = "It has <!-- begin: number -->6<!-- end --> %.\n<!-- begin: table 'a b' -->\nold\n<!-- end -->\n"
    new = "It has <!-- begin: number -->7<!-- end --> %.\n<!-- begin: table 'a b' -->\n| a b |\n|---|\n<!-- end -->\n"
    assert filled(page, blocks) == new == filled(new, blocks)


def test_update_writes_the_pages_that_changed_and_outdated_names_their_blocks(tmp_path: Path) -> None:
    blocks: dict[str, Block] = {"number": lambda: "7"}
    with pytest.raises(UsageError, match=r"neither README\.md nor docs"):
        update(tmp_path, blocks)
    (tmp_path / "docs" / "deep").mkdir(parents=True)
    old, new = tmp_path / "README.md", tmp_path / "docs" / "deep" / "page.md"
    old.write_text("<!-- begin: number -->6<!-- end -->")
    new.write_text("<!-- begin: number -->7<!-- end -->")
    assert stale_blocks(old, blocks) == ["number"] and stale_blocks(new, blocks) == []
    assert update(tmp_path, blocks) == [old] and update(tmp_path, blocks) == []
    assert old.read_text() == new.read_text()


def test_the_command_fills_the_blocks_of_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert sparsefront(monkeypatch, "docs") == 2 and "run the command in a checkout" in capsys.readouterr().err
    (tmp_path / "README.md").write_text("<!-- begin: methods -->\n<!-- end -->\n")
    assert sparsefront(monkeypatch, "docs") == 0
    assert "; `dwf` (Kolb, Weber, " in (tmp_path / "README.md").read_text()
    assert capsys.readouterr().out == "wrote README.md\n"
