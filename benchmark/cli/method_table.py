"""The table of methods for the documentation."""

from __future__ import annotations

from benchmark.records.schema import FAMILIES
from methods.core.registry import METHODS


def method_table() -> str:
    """Return a Markdown table of the registered methods with their papers: a line for each family."""
    families = sorted({cls.family for cls in METHODS.values()}, key=lambda name: (*FAMILIES, name).index(name))
    rows = []
    for family in families:
        own = sorted((name, cls.paper) for name, cls in METHODS.items() if cls.family == family)
        named = (f"`{name}`" + (f" ({paper})" if paper else "") for name, paper in own)
        rows.append(f"| {family} | {'; '.join(named)} |")
    return "\n".join(["| family | methods |", "|---|---|", *rows])
