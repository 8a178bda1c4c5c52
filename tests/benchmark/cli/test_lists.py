"""Lists and descriptions of methods, tasks and experiments, and what a mistyped name is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.cli.lists import details, folder_of, lines
from benchmark.errors import UsageError
from benchmark.experiments.registry import EXPERIMENTS, get_experiment
from benchmark.records.schema import FAMILIES
from benchmark.sweep.status import overview, summaries
from benchmark.tasks.registry import TASKS, get_task
from methods.core.registry import METHODS, MethodError, parse, signature
from tests.builders import GOLDEN, run, sparsefront, write


def test_a_list_has_a_line_for_each_that_can_be_pasted() -> None:
    for what, there in (
        ("tasks", [*sorted(TASKS), "timm:...", "torchvision:..."]),
        ("experiments", sorted(EXPERIMENTS)),
    ):
        assert [line.partition("  ")[0] for line in lines(what)] == there
    assert any("[digits, 1293 examples; 40 epochs at learning rate 0.1]" in line for line in lines("tasks"))
    assert any(line.startswith("quickstart  [111 runs]  Compare") for line in lines("experiments"))
    written = list(lines("methods"))
    assert all(any(signature(cls) in line for line in written) for cls in METHODS.values())
    families = [line.partition("[")[2].partition(";")[0] for line in written[: len(METHODS)]]
    assert list(dict.fromkeys(families)) == [family for family in FAMILIES if family in families]


@pytest.mark.parametrize("name", [*METHODS, *TASKS, *EXPERIMENTS, "timm:resnet26-cifar10", "rigl[drop_fraction=0.2]"])
def test_everything_that_a_list_names_is_shown(name: str) -> None:
    shown = list(details(name))
    assert len(shown) > 3 and all(isinstance(line, str) for line in shown)


def test_a_method_is_shown_with_the_values_that_its_options_take() -> None:
    shown = list(details("dwf[depth=2]"))
    assert shown[0] == "method dwf[depth=2]"
    assert any(line.startswith("  option depth: a whole number in [1, 100], by default 3") for line in shown)
    assert any(line.startswith("  option init: ") and "ones" in line for line in shown)
    assert any(line.startswith("  paper: Kolb") for line in shown)


def test_a_mistyped_name_is_answered_with_the_closest_one() -> None:
    for ask, wrong, meant in (
        (get_experiment, "quickstrat", "quickstart"),
        (get_task, "lenet300-fmnis", "lenet300-fmnist"),
        (lambda name: list(details(name)), "synflwo", "synflow"),
    ):
        with pytest.raises(UsageError, match=rf"{wrong}' \(did you mean {meant}\?\)"):
            ask(wrong)
    for wrong, meant in (("magnitud", "magnitude"), ("dfw", "dwf"), ("dwf[dpth=3]", "depth")):
        with pytest.raises(MethodError, match=rf"\(did you mean {meant}\?\)"):
            parse(wrong)
    with pytest.raises(UsageError, match=r"lenet300-digits is a task .* `sparsefront run lenet300-digits`"):
        get_experiment("lenet300-digits")


def test_a_folder_without_results_is_answered_with_the_one_that_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("depth", "quickstart-smoke"):
        (tmp_path / name).mkdir()
        write(tmp_path / name)
    assert folder_of(tmp_path, "depth") == tmp_path / "depth"
    with pytest.raises(UsageError, match="did you mean quickstart-smoke, which `--tier smoke` wrote"):
        folder_of(tmp_path, "quickstart")
    with pytest.raises(UsageError, match=r"did you mean depth\?"):
        folder_of(tmp_path, "dept")
    monkeypatch.chdir(tmp_path.parent)
    with pytest.raises(UsageError, match=rf"did you mean depth --results {tmp_path.name}\?"):
        folder_of(Path("results"), f"{tmp_path.name}/depth")


@pytest.mark.parametrize("command", ["check-claims one", "compare one two --output o", "merge one two --output o"])
def test_a_name_in_the_place_of_a_folder_is_answered_with_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / "results" / name).mkdir(parents=True)
        write(tmp_path / "results" / name)
    assert sparsefront(monkeypatch, *command.split()) == 2
    assert "did you mean results/one?" in " ".join(capsys.readouterr().err.split())


def test_a_status_names_reasons_and_without_a_name_all_sweeps(tmp_path: Path) -> None:
    failed = [run("snip", value, 0, 0, None, None, status="error", error="OSError: no disk") for value in (0.3, 0.4)]
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, GOLDEN[:10] + failed)
    told = [part for part in overview(tmp_path / "one") if isinstance(part, str)]
    assert "  2 failed (error): OSError: no disk" in told
    assert [line.partition(";")[0].partition(":")[0] for line in summaries(tmp_path)] == ["one", "two"]
    assert all("2 failed (2 error)" in line for line in summaries(tmp_path))
    with pytest.raises(UsageError, match="there are no results"):
        list(summaries(tmp_path / "one"))


def test_a_folder_that_cannot_be_read_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("broken", "one"):
        (tmp_path / name).mkdir()
    write(tmp_path / "one")
    (tmp_path / "broken" / "runs.csv").write_text("a,b\n")
    for command in ("status", "report"):
        assert sparsefront(monkeypatch, command, "--results", str(tmp_path)) == 2
        told, said = capfd.readouterr()
        assert f"broken: {tmp_path / 'broken' / 'runs.csv'} does not have this version's columns" in told
        assert "\none: " in told or "/one/leaderboard.md\n" in told
        assert said.startswith("error: 1 of 2 folders cannot be ") and said.endswith(": broken\n")


def test_version_and_short_help(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    assert sparsefront(monkeypatch, "--version") == 0
    assert sparsefront(monkeypatch, "run", "-h") == 0
    told = capfd.readouterr().out
    assert told.startswith("sparsefront") and "--retry" in told


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("run quicks", ["quickstart"]),
        ("show lenet300-k", ["lenet300-kmnist"]),
        ("run quickstart --methods dense,dw", ["dense,dwf"]),
        ("status --results RESULTS o", ["one"]),
    ],
)
def test_names_are_completed(
    line: str, completed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one").mkdir()
    write(tmp_path / "one")
    words = f"sparsefront {line}".replace("RESULTS", str(tmp_path))
    asked = {"_SPARSEFRONT_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    assert sparsefront(monkeypatch) == 0
    assert capfd.readouterr().out.split() == completed


@pytest.mark.parametrize("command", ["status", "report", "plan"])
def test_a_path_that_no_system_takes_is_one_sentence(
    command: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path in ("x" * 300, str(loop))[: 1 if command == "plan" else 2]:
        assert sparsefront(monkeypatch, command, "quickstart", "--results", path) == 2
        assert capfd.readouterr().err.count("\n") == 1
