"""The pages name files, commands and columns that exist."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from benchmark.cli.commands import app
from benchmark.experiments.registry import EXPERIMENTS
from benchmark.records import schema
from benchmark.tasks.registry import TASKS
from tests.builders import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PACKAGES = ("benchmark", "methods", "plots")
RESULTS = (ROOT / "docs" / "results.md").read_text()
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", page.read_text())


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings have on GitHub."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code(page: Path) -> Iterator[str]:
    """Yield the lines of a page's blocks without a language, and the code within its sentences."""
    text = page.read_text()
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if not language:
            yield from block.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def commands(page: Path, program: str) -> list[list[str]]:
    found = [re.search(rf"(?:^|\s|/){program} ([a-z][^#]*)", line) for line in code(page)]
    return [shlex.split(match[1]) for match in found if match]


@every_page
def test_every_relative_link_of_a_page_resolves(page: Path) -> None:
    for link in links(page):
        if link.startswith("http"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@every_page
def test_every_command_of_a_page_exists_with_its_options(page: Path) -> None:
    known = typer.main.get_group(app)
    own = {name.replace("_", "-") for name in re.findall(r"@(?:experiment|task)\ndef (\w+)", page.read_text())}
    for name, *words in commands(page, "sparsefront"):
        assert name in known.commands, name
        options = {option for parameter in known.commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, (name, words)
        experiment = next(iter(words), "")
        if name in ("run", "plan", "status", "report") and not experiment.startswith(
            ("--", "...", "EXPERIMENT", "TASK")
        ):
            assert not experiment or experiment in own | set(EXPERIMENTS) | set(TASKS), (name, experiment)


@every_page
def test_every_make_target_of_a_page_exists(page: Path) -> None:
    rules = re.findall(r"^([a-z -]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()} | set(EXPERIMENTS)
    for target, *_ in commands(page, "make"):
        assert target in targets or target == "EXPERIMENT", target


def test_the_page_on_architecture_names_every_folder_and_the_layers_that_the_linter_holds() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    packages = {path.parent.relative_to(ROOT) for name in PACKAGES for path in (ROOT / name).rglob("__init__.py")}
    named = set(re.findall(r"`([a-z_/.]+)`", page))
    assert {str(package) for package in packages} - {"benchmark"} <= named
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert " → ".join(f"`{layer}`" for layer in layers) in page


def test_the_index_lists_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    listed = {(index.parent / link).resolve() for link in links(index) if link.endswith(".md")}
    assert listed == set(PAGES) - {index}


@pytest.mark.parametrize(
    ("file", "columns"),
    [
        ("runs.csv", schema.COLUMNS),
        ("curves.csv", schema.CURVE_COLUMNS),
        ("layers.csv", schema.LAYER_COLUMNS),
        ("thresholds.csv", schema.THRESHOLD_COLUMNS),
        ("correct.csv", schema.CORRECT_COLUMNS),
        ("initial_weights.csv", schema.INITIAL_COLUMNS),
    ],
)
def test_the_page_of_results_has_every_column_in_order(file: str, columns: tuple[str, ...]) -> None:
    section = re.search(rf"^## {re.escape(file)}$(.*?)(?=^## |\Z)", RESULTS, re.DOTALL | re.MULTILINE)
    assert section, file
    assert tuple(re.findall(r"^\| `(\w+)` \| .*\S.* \|$", section[1], re.MULTILINE)) == columns


def test_the_page_of_results_has_the_columns_of_the_published_learning_rates() -> None:
    published = sorted((ROOT / "results" / "reference").glob("*/learning_rates.csv"))
    assert published
    section = RESULTS.partition("\n## learning_rates.csv\n")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    for path in published:
        assert path.read_text().partition("\n")[0].split(",") == documented


def test_the_notebook_snippet_of_the_page_of_scripts_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "scripts.md").read_text().partition("## Train and compare in a notebook")[2]
    (snippet,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    exec(snippet, {})
    assert (tmp_path / "mine.png").is_file()
