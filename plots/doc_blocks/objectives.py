"""The table of objectives that methods of one penalty reach."""

from __future__ import annotations

import pandas

from plots.doc_blocks.published import folder
from plots.doc_blocks.tables import NONE

COLUMNS = {
    "factors (`dwf`)": ("dwf",),
    "tied factors (`rewa`)": ("rewa",),
    "proximal steps": ("prox-l1", "prox-lq"),
    "p-norm decay (`pwd`)": ("pwd",),
    "subgradient (`l1`)": ("l1",),
}
EXPONENTS = {1.0: "1", 0.6667: "2/3", 0.5: "1/2"}


def objectives(experiment: str) -> str:
    """Return a table of mean objectives by q and lambda, the lowest of a line in bold.

    A cell with ≈ is one whose ratio to the factors' has a 95 % interval with 1 in it.
    """
    table = pandas.read_csv(folder(experiment) / "objectives.csv")
    lines = [f"| q | λ | {' | '.join(COLUMNS)} |", f"|{'---|' * (len(COLUMNS) + 2)}"]
    for exponent, shown in EXPONENTS.items():
        for penalty, own in table[table["exponent"].round(4) == exponent].groupby("penalty"):
            lowest = own["objective"].min()
            cells = []
            for names in COLUMNS.values():
                held = own[own["method"].str.startswith(names)]
                cells.append(_cell(held.iloc[0], lowest) if len(held) else NONE)
            lines.append(f"| {shown} | {penalty:g} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(held: pandas.Series, lowest: float) -> str:
    text = f"{held['objective']:.3f}"
    level = " ≈" if held["to_factors_low"] <= 1 <= held["to_factors_high"] else ""
    return (f"**{text}**" if held["objective"] == lowest else text) + level
