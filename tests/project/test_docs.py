"""The blocks of the documentation hold what the code and the published results say now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.cli.method_table import method_table
from benchmark.errors import UsageError
from plots import doc_blocks
from plots.doc_blocks import BLOCKS
from plots.docs import Block, filled, pages, stale_blocks, update
from tests.builders import GOLDEN, ROOT, pair, run, sparsefront, write

ALL = {**BLOCKS, "methods": method_table}


@pytest.mark.parametrize("page", pages(ROOT), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_blocks_of_a_page_are_up_to_date(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    stale = stale_blocks(page, ALL)
    assert not stale, f"{page.name}: run `sparsefront docs` to fill the blocks {', '.join(stale)}"


def test_the_large_tables_of_the_findings_are_blocks() -> None:
    found = [path.read_text().count("<!-- begin: ") for path in sorted((ROOT / "docs" / "findings").glob("*.md"))]
    assert sum(found) >= 15 and min(found) >= 2


@pytest.mark.parametrize("page", pages(ROOT), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_number_never_begins_a_line_where_markdown_would_take_it_for_a_block_of_html(page: Path) -> None:
    for line in page.read_text().splitlines():
        assert not line.startswith("<!-- ") or line.endswith(" -->"), line


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(doc_blocks, "REFERENCE", tmp_path / "reference")
    monkeypatch.setattr(doc_blocks, "RANGES", {"golden": {"up to 25": (0, 25), "30 to 80": (30, 80)}})
    doc_blocks._points.cache_clear()
    (tmp_path / "reference" / "golden").mkdir(parents=True)
    penalty = [
        *pair("dwf[depth=2]", 1, 100, (80, 82), (81.05, 81.05)),  # at CR 10
        *pair("dwf[depth=2]", 2, 20, (70, 72), (71, 73)),  # at CR 50
        run("dwf[depth=2]", 3, 0, 10, 60, 60),  # at CR 100
        run("dwf[depth=2]", 3, 1, 30, 60, 64),  # at CR 33: the two are too far apart for a mean
    ]
    write(tmp_path / "reference" / "golden", [*GOLDEN, *penalty])
    yield tmp_path
    doc_blocks._points.cache_clear()


def test_numbers_of_a_point_are_computed_by_hand(published: Path) -> None:
    assert doc_blocks.mean("golden", "dense", "1") == "92.0"
    assert doc_blocks.mean("golden", "snip", "0.1", "2") == "89.00"
    assert doc_blocks.spread("golden", "dense", "1", "2") == "92.00 ± 1.41"
    assert doc_blocks.spread("golden", "snip", "0.01") == "52.0"  # a single seed has no spread
    assert doc_blocks.point("golden", "dwf[depth=3]", "1") == "91.0 % at 5"
    assert doc_blocks.mean("golden", "dwf[depth=2]", "1") == "81.1"  # half is rounded up


def test_the_table_of_masks_has_a_column_for_each_compression(published: Path) -> None:
    assert doc_blocks.masks("golden", "5", "10", "100", "1000") == (
        "| test accuracy in % at a compression of | 5 | 10 | 100 | 1000 |\n"
        "|---|---|---|---|---|\n"
        "| SNIP | 99.0 ± 0.0 | 89.0 ± 1.4 | 52.0 (one seed) | \N{EN DASH} |"
    )


def test_the_table_of_penalties_has_medians_where_seeds_are_far_apart(published: Path) -> None:
    assert doc_blocks.penalties("golden") == (
        "| test accuracy in % (at a compression of) | up to 25 | 30 to 80 |\n"
        "|---|---|---|\n"
        "| depth 2 | 81.1 (10) | 72.0 (50), 62.0 (50, median) |\n"
        "| depth 3 | 91.0 (5, median) | \N{EN DASH} |"
    )


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ("mean nothing dense 1", "no published results of 'nothing'; experiments are golden"),
        ("mean golden dense 2", "golden has no dense at 2; values are 1"),
        ("mean golden rigl 0.1", "golden has no rigl at 0.1; it has none of its runs"),
        ("mean golden", "wrong arguments"),
        ("unknown golden", "there is no block 'unknown'; blocks are masks, "),
    ],
)
def test_a_block_that_cannot_be_filled_is_refused_with_the_choices(published: Path, block: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        filled(f"<!-- begin: {block} -->old<!-- end -->", BLOCKS)


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
    assert "| `dwf` | factorization | Kolb, " in (tmp_path / "README.md").read_text()
    assert capsys.readouterr().out == "wrote README.md\n"
