"""Results as they should not be: each command that reads them says one sentence or writes something readable."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.records.schema import COLUMNS
from benchmark.records.table import read
from tests.builders import DWF, GOLDEN, pair, run, sparsefront, write

HEADER = ",".join(COLUMNS) + "\n"
WRONG = {
    "empty": (None, "there (is|are) no .*empty"),
    "header": (HEADER, "holds no run with status ok|there are no results in .*header"),
    "foreign": ("a,b\n1,2\n", "does not have this version's columns"),
    "bytes": ("\0\1\0", "columns"),
    "torn": (HEADER + "abc,quick", "torn line"),
    "no line end": (HEADER + "," * HEADER.count(","), "the last line of"),
    "failures": ("", "holds no run with status ok"),
}
COMMANDS = (
    ["report", "{name}", "--results", "{root}"],
    ["report", "{name}", "--results", "{root}", "--html"],
    ["report", "{name}", "--results", "{root}", "--style", "paper"],
    ["report", "{name}", "--results", "{root}", "--json"],
    ["compare", "{root}/{name}", "{root}/good", "--output", "{root}/out"],
    ["check-claims", "{root}/good", "{root}/{name}"],
    ["merge", "{root}/good", "{root}/{name}", "--output", "{root}/out"],
)


@pytest.mark.parametrize("name", list(WRONG))
def test_results_that_say_nothing_are_named_in_one_sentence_and_nothing_is_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for folder in (name, "good"):
        (tmp_path / folder).mkdir()
    write(tmp_path / "good", GOLDEN)
    content, said = WRONG[name]
    commands = list(COMMANDS)
    if name == "failures":
        write(tmp_path / name, [run("dense", 1, 0, 1000, None, None), run("snip", 0.1, 0, 100, None, None)])
        del commands[-1]  # to merge, runs that failed are runs
    elif content is not None:
        (tmp_path / name / "runs.csv").write_text(content)
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    for command in commands:
        assert sparsefront(monkeypatch, *(part.format(name=name, root=tmp_path) for part in command)) == 2, command
        shown = capfd.readouterr()
        assert shown.out == "" and shown.err.count("\n") == 1 and re.search(said, shown.err), (command, shown)
    assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == before


EVIL = "<img src=x onerror=alert(1)>[b]bold[/b] $a_b$ |"
LONG = "a-name-of-many-words-" * 12
DENSE = pair("dense", 1, 1000, (90, 92), (91, 93))
ODD = {
    "one run, no dense": [run("snip", 0.5, 0, 500, 90, 90)],
    "names, infinite": [
        replace(row, task=EVIL)
        for row in [
            *DENSE,
            *(row for name in (EVIL, LONG) for row in pair(name, 0.5, 500, (80, 80), (80, 81))),
            *pair(DWF, 5, 0, (10, 10), (10, 10), knob="strength", penalty=0.1),
        ]
    ],
}


@pytest.mark.slow
def test_odd_results_are_reported_drawn_compared_merged_and_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    folders = []
    for name, rows in ODD.items():
        (results / name).mkdir(parents=True)
        rows = [replace(row, key=f"{name} {place}") for place, row in enumerate(rows)]
        folders.append(str(write(results / name, rows)))
    assert sparsefront(monkeypatch, "report", "--results", str(results)) == 0
    assert sparsefront(monkeypatch, "report", "--results", str(results), "--html") == 0
    monkeypatch.setenv("HOME", str(tmp_path))
    assert sparsefront(monkeypatch, "compare", *folders, "--output=~/both") == 0
    assert sparsefront(monkeypatch, "merge", *folders, "--output=~/one") == 0  # no shell replaces this `~`
    assert sparsefront(monkeypatch, "check-claims", folders[1]) == 1  # items that they lack fail
    shown = capfd.readouterr()
    assert shown.err == "" and "[b]bold[/b]" in shown.out
    assert len(read(tmp_path / "one" / "runs.csv")) == sum(map(len, ODD.values()))
    written = [path for path in tmp_path.rglob("*") if path.suffix in (".md", ".svg", ".html")]
    assert {path.parent.name for path in written} >= {*ODD, "figures", "both"}
    outside_code = [re.sub("`[^`\n]*`", "", path.read_text()) for path in written]  # Markdown shows code as it is
    assert not [text for text in outside_code if EVIL[:10] in text]
