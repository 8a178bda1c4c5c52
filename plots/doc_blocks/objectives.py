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
    """Return a table of mean objectives by q and lambda, the lowest of a line in bold."""
    table = pandas.read_csv(folder(experiment) / "objectives.csv")
    lines = [f"| q | λ | {' | '.join(COLUMNS)} |", f"|{'---|' * (len(COLUMNS) + 2)}"]
    for exponent, shown in EXPONENTS.items():
        for penalty, own in table[table["exponent"].round(4) == exponent].groupby("penalty"):
            lowest = own["objective"].min()
            cells = []
            for names in COLUMNS.values():
                held = own.loc[own["method"].str.startswith(names), "objective"]
                text = f"{held.iloc[0]:.3f}" if len(held) else NONE
                cells.append(f"**{text}**" if len(held) and held.iloc[0] == lowest else text)
            lines.append(f"| {shown} | {penalty:g} | {' | '.join(cells)} |")
    return "\n".join(lines)
