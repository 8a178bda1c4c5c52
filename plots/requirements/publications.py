"""The requirements on levels and orders that published curves have."""

from __future__ import annotations

from plots.literature import compared, lost_levels, lost_orders
from plots.requirements.verdicts import Results, Verdict, some


def levels(results: Results) -> Verdict:
    """Keep the accuracy that published methods keep against dense, to 1.5 points."""
    rows = compared(results.runs)
    rows = rows.dropna(subset=["points", "own_points"]) if len(rows) else rows
    if rows.empty:
        return None, "no published curve has such a task, method and compression"
    lost = lost_levels(rows)
    return not lost, some(lost) or f"at all {len(rows)} published points, from {some(sorted(set(rows['source'])))}"


def orders(results: Results) -> Verdict:
    """Keep the order of published methods that are at least 3 points apart."""
    rows = compared(results.runs)
    if rows.empty or rows.groupby(["task", "source", "compression"]).size().max() < 2:
        return None, "no two methods of one published comparison were run"
    lost = lost_orders(rows)
    return not lost, some(lost) or f"among {', '.join(sorted(set(rows['method'])))}"
