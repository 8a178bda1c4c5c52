"""The HTML file of a page: the template with the library, the scripts and the data inside."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
from collections.abc import Mapping, Sequence, Set
from importlib.resources import files
from pathlib import Path
from typing import Any

from benchmark.errors import UsageError
from plots.files import write_text
from plots.page.folder import folder_data
from plots.page.library import library

SCRIPTS = ("data.js", "tables.js", "view.js", "front.js", "compare.js", "details.js", "main.js")


def write_page(folders: Sequence[Path], target: Path, stale: Mapping[Path, Set[str]] | None = None) -> None:
    """Write one page for all results folders to <target>; `stale` holds the keys of stale rows by folder.

    A folder among several that cannot be read is named on the page with the reason. Raises UsageError if no folder can
    be read, before anything is written, or if the target cannot be written.
    """
    found: list[dict[str, Any]] = []
    faults: list[str] = []
    for folder in folders:
        try:
            found.append(folder_data(folder, (stale or {}).get(folder, frozenset()), 1 / len(folders)))
        except UsageError as error:
            faults.append(str(error))
    if not found:
        raise UsageError(faults[0] if faults else "no folder is given")
    title = found[0]["name"] if len(folders) == 1 else "sparsefront results"
    text = page({"title": title, "folders": found, "faults": faults})
    try:
        write_text(target, text)
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from error


def page(data: dict[str, Any]) -> str:
    """Return the HTML of a page.

    Data are read as JSON and shown as text, never as markup. The browser runs only the page's own two scripts, whose
    hashes the content security policy names, and the policy forbids every load from elsewhere.
    """
    own = files("plots.page")
    scripts = [library(), "'use strict';\n" + "".join(own.joinpath(name).read_text("utf-8") for name in SCRIPTS)]
    scripts = [script.replace("</script", "<\\/script") for script in scripts]
    # Vega compiles its expressions with `new Function`, hence unsafe-eval; the expressions hold no names of ours.
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    policy = f"default-src 'none'; script-src {hashes} 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:"
    parts = {
        "policy": policy,
        "title": html.escape(data["title"]),
        "style": own.joinpath("page.css").read_text("utf-8"),
        "data": _compressed(data),
        "library": scripts[0],
        "script": scripts[1],
    }
    pieces = own.joinpath("page.html").read_text("utf-8").split("%%")  # text, name, text, name, ..., text
    return "".join(parts[piece] if place % 2 else piece for place, piece in enumerate(pieces))


def _compressed(data: dict[str, Any]) -> str:
    """Return the data as JSON in gzip in base64, which holds no character of markup; equal data give equal text."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()
