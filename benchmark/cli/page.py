"""The option `sparsefront report --html`: the interactive page of one results folder, or of all in one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.cli.stale import stale_in
from benchmark.errors import UsageError


def write_pages(folders: Sequence[Path], target: Path) -> Path:
    """Write the page of all folders to <target>, and return the path."""
    try:
        from plots.page.write import write_page
    except ModuleNotFoundError as missing:
        raise UsageError(f"pages need {missing.name}: pip install 'sparsefront[plots]'") from None
    write_page(folders, target, {folder: _stale(folder) for folder in folders})
    return target


def _stale(folder: Path) -> set[str]:
    """Return the keys of stale rows; none of a table that cannot be read, which the page names with the reason."""
    try:
        return stale_in(folder)
    except UsageError:
        return set()
