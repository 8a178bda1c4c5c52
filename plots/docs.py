"""The blocks of the documentation that a command fills: tables and numbers from code and from published results.

A block is the text between `<!-- begin: NAME ARGUMENTS -->` and `<!-- end -->`. A function of that name, given the
arguments, returns its text. A block can be a table, or a number within a sentence.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmark.errors import UsageError

Block = Callable[..., str]
BLOCK = re.compile(r"(<!-- begin: (.+?) -->)(.*?)(<!-- end -->)", re.DOTALL)


def pages(root: Path) -> list[Path]:
    """Return the pages of a checkout that may hold blocks: README.md and all Markdown files below docs."""
    found = [path for path in (root / "README.md", *sorted((root / "docs").rglob("*.md"))) if path.is_file()]
    if not found:
        raise UsageError(f"{root.resolve()} has neither README.md nor docs; run the command in a checkout")
    return found


def filled(page: str, blocks: Mapping[str, Block]) -> str:
    """Return the text of a page with its blocks filled anew.

    Raises UsageError for a block that has no function, or arguments that its function does not take.
    """

    def fill(match: re.Match[str]) -> str:
        name, *arguments = shlex.split(match[2])
        if name not in blocks:
            raise UsageError(f"there is no block {name!r}; blocks are {', '.join(sorted(blocks))}")
        try:
            text = blocks[name](*arguments)
        except UsageError:
            raise
        except (TypeError, ValueError) as error:  # too many or too few arguments, or one that is no number
            raise UsageError(f"the block {match[2]!r} has wrong arguments: {error}") from error
        return f"{match[1]}\n{text}\n{match[4]}" if "\n" in text else f"{match[1]}{text}{match[4]}"

    return BLOCK.sub(fill, page)


def stale_blocks(path: Path, blocks: Mapping[str, Block]) -> list[str]:
    """Return the names of a page's blocks whose text differs from the text that their functions return now."""
    old = path.read_text(encoding="utf-8")
    pairs = zip(BLOCK.finditer(old), BLOCK.finditer(filled(old, blocks)), strict=True)
    return [before[2] for before, now in pairs if before[0] != now[0]]


def update(root: Path, blocks: Mapping[str, Block]) -> list[Path]:
    """Fill the blocks of all pages of a checkout and return the pages that changed."""
    changed = []
    for path in pages(root):
        old = path.read_text(encoding="utf-8")
        new = filled(old, blocks)
        if new != old:
            path.write_text(new, encoding="utf-8")
            changed.append(path)
    return changed
