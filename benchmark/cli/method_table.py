"""The table of methods for the documentation."""

from __future__ import annotations

from benchmark.records.schema import FAMILIES
from methods.core.registry import METHODS

NO_PAPER = "\N{EN DASH}"


def method_table() -> str:
    """Return a Markdown table of the registered methods: name, family and paper."""
    places = {family: place for place, family in enumerate(FAMILIES)}
    methods = sorted(METHODS.items(), key=lambda item: (places.get(item[1].family, len(places)), item[1].family))
    rows = [f"| `{name}` | {cls.family} | {cls.paper or NO_PAPER} |" for name, cls in methods]
    return "\n".join(["| method | family | paper |", "|---|---|---|", *rows])
