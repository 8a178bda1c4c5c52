"""The layout of the project: its imports, its packages and its folders."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from methods import METHODS
from tests.builders import ON_DEMAND, ROOT, RUN_PATH

PACKAGES = sorted(
    path.parent
    for top in ("benchmark", "methods", "plots", "sparsefront")
    for path in (ROOT / top).rglob("__init__.py")
)


def imports(path: Path, top_level: bool = False) -> set[str]:
    tree = ast.parse(path.read_text())
    found = set()
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.add((node.module or "").partition(".")[0])
    return found - set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "benchmark").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_run_path_imports_only_packages_of_a_bare_node(path: Path) -> None:
    draws = path.name in ("reports.py", "page.py", "claims.py", "stale.py")
    allowed = RUN_PATH | ON_DEMAND | ({"plots"} if draws else set())
    if path.name == "__main__.py":
        assert imports(path) == {"sparsefront"}
        return
    assert imports(path) <= allowed
    assert imports(path, top_level=True) <= RUN_PATH | ({"torchvision"} if path.parent.name == "models" else set())


def test_records_import_no_torch() -> None:
    code = "import sys; import benchmark.records.table; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_distribution_holds_four_packages_and_one_command() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["setuptools"]["packages"]
    there = {str(path.parent.relative_to(ROOT)).replace("/", ".") for path in ROOT.glob("*/**/__init__.py")}
    code = {package for package in there if package.partition(".")[0] in RUN_PATH | {"plots", "sparsefront"}}
    assert set(packages) == code | {"benchmark.reference"}  # the last one holds tables that recipes read
    assert project["project"]["scripts"] == {"sparsefront": "sparsefront.__main__:main"}


def test_the_lock_pins_every_package_by_hash_and_names_no_index() -> None:
    lock = (ROOT / "constraints.txt").read_text()
    assert "://" not in lock and "--index-url" not in lock
    pins = re.split(r"\n(?=[\w#])", lock)
    pins = [pin for pin in pins if not pin.startswith("#")]
    assert all(re.match(r"[\w.-]+==[\w.]+ ", pin) and "--hash=sha256:" in pin for pin in pins)
    pinned = {pin.split("==")[0] for pin in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"], *itertools.chain(*extras)]
    assert {name.split(">=")[0] for name in wanted if not name.startswith("sparsefront")} <= pinned
    assert {"nvidia-cublas", "pydantic-core"} <= pinned  # what the packages themselves need


def test_make_installs_what_the_lock_names_and_nothing_else() -> None:
    recipe = subprocess.run(["make", "--dry-run", "--always-make", "install"], cwd=ROOT, capture_output=True, text=True)
    installs = [line for line in recipe.stdout.splitlines() if "pip install" in line]
    assert len(installs) == 2 and "--require-hashes --requirement constraints.txt" in installs[0]
    assert "--no-deps --no-build-isolation" in installs[1]


def test_python_m_benchmark_is_the_command_sparsefront() -> None:
    answers = [
        subprocess.run([*start, "list", "tasks"], capture_output=True, text=True, check=True).stdout
        for start in ([sys.executable, "-m", "benchmark"], [Path(sys.executable).with_name("sparsefront")])
    ]
    assert answers[0] == answers[1] and "lenet300-digits" in answers[0]


def test_tests_import_shared_helpers_and_no_other_module_of_tests() -> None:
    for path in (ROOT / "tests").rglob("*.py"):
        modules = {
            node.module or "" for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)
        }
        ours = {module for module in modules if module.split(".")[0] == "tests"}
        assert ours <= {"tests.builders", "tests.processes"}, path


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package.relative_to(ROOT)))
def test_the_docstring_of_a_package_names_each_of_its_files(package: Path) -> None:
    words = set(re.findall(r"\w+", ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""))
    methods = {name.replace("-", "_") for name in METHODS} if package.name == "methods" else set()
    files = {path.stem for path in package.glob("*.py")} - {"__init__"}
    assert files <= words | methods


def test_the_command_line_leaves_torch_where_importlib_finds_it() -> None:
    code = (
        "import sys; from importlib.util import find_spec; from benchmark.cli import commands; "
        "print('torch' in sys.modules, find_spec('torch').name, find_spec('torch.nn').name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False torch torch.nn\n"
