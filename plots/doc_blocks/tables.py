"""The tables of masks and of penalties, with their rows and columns."""

from __future__ import annotations

import numpy
import pandas

from plots.doc_blocks.numbers import comparison
from plots.doc_blocks.published import points, rounded, with_spread

NONE = "\N{EN DASH}"

# The rows of tables, with the words of the pages. A mask is read at a density, a penalty at its measured compression.
MASKS = {
    "gradual magnitude (gmp)": "gmp",
    "powerprop, then magnitude": "powerprop",
    "iterative magnitude, rewound (4 budgets)": "imp[rounds=3]",
    "RigL": "rigl",
    "SET": "set",
    "one-shot magnitude, fine-tuned": "magnitude",
    "HAM on top of it": "ham[mask=magnitude]",
    "AC/DC": "acdc",
    "SynFlow": "synflow",
    "random, ERK": "random[distribution=erk]",
    "SNIP": "snip",
    "SNIP, iterative": "snip[iterations=100]",
    "GraSP": "grasp",
    "random, uniform over the network": "random",
    "magnitude at initialization": "magnitude-init",
    "L1 (1e-4), then magnitude": "l1",
    "L1 (1e-3), then magnitude": "l1[penalty_weight=0.001]",
    "one-shot magnitude, not fine-tuned": "magnitude[finetune=0]",
    "magnitude's mask, new weights": "control[mask=magnitude,kind=reinit]",
    "magnitude's mask, shuffled in layers": "control[mask=magnitude,kind=shuffle]",
}
PENALTIES = {
    "depth 2": "dwf[depth=2]",
    "depth 3": "dwf[depth=3]",
    "depth 4": "dwf[depth=4]",
    r"proximal, \|w\|": "prox-l1",
    r"proximal, \|w\|^(2/3)": "prox-lq[q=2/3]",
    r"proximal, \|w\|^(1/2)": "prox-lq[q=1/2]",
    "STR": "str",
}
# The columns of tables of penalties: ranges of the measured compression, by experiment.
RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "families-grid": {
        "up to 25": (0, 25),
        "30 to 85": (30, 85),
        "100 to 210": (100, 210),
        "230 to 360": (230, 360),
        "460 to 750": (460, 750),
    },
    "families-grid-mnist": {
        "up to 25": (0, 25),
        "30 to 65": (30, 65),
        "85 to 130": (85, 130),
        "170 to 215": (170, 215),
        "300 to 410": (300, 410),
        "550 to 750": (550, 750),
    },
    "lenet5-fmnist": {
        "3 to 15": (3, 15),
        "15 to 30": (15, 30),
        "50 to 90": (50, 90),
        "150 to 250": (150, 250),
        "beyond": (250, 1e9),
    },
}


def masks(experiment: str, *levels: str) -> str:
    """Return the table of masks: a row for each method, a column for each compression, accuracies over seeds."""
    table = points(experiment)
    here = {name: method for name, method in MASKS.items() if method in set(table["method"])}
    rows = []
    for name, method in here.items():
        cells = []
        for level in levels:
            own = table[(table["method"] == method) & numpy.isclose(table["value"], 1 / float(level))]
            cells.append(NONE if own.empty else _cell(own.iloc[0], int(table["n"].max())))
        rows.append([name, *cells])
    return table_of(["test accuracy in % at a compression of", *levels], rows)


def _cell(point: pandas.Series, seeds: int) -> str:
    if point["n"] > 1 or seeds == 1:
        return with_spread(point, 1)
    return f"{rounded(point['test_mean'], 1)} (one seed)"


def penalties(experiment: str, spreads: str = "no", digits: str = "1") -> str:
    """Return the table of penalties: all points in a range of compression, and in the first range the last one.

    A cell holds the mean accuracy and the compression. It holds medians if the compression of one seed is more than
    twice that of another, or if accuracies scatter by more than two points.
    """
    table = points(experiment)
    here = {name: method for name, method in PENALTIES.items() if method in set(table["method"])}
    rows = []
    for name, method in here.items():
        own = [point for _, point in table[table["method"] == method].sort_values("value").iterrows()]
        cells = []
        for low, high in RANGES[experiment].values():
            texts = [
                _penalty_cell(point, spreads == "yes", int(digits)) for point in own if low <= _ratio(point) <= high
            ]
            cells.append(", ".join(texts[-1:] if low == 0 else texts) or NONE)
        rows.append([name, *cells])
    return table_of(["test accuracy in % (at a compression of)", *RANGES[experiment]], rows)


def differences(experiment: str, control: str, threshold: str, *levels: str) -> str:
    """Return the table of differences to a control: a row for each method that reaches one of the compressions.

    The threshold is that of penalty runs, `strict` for their own. Rows are by the mean at the first compression. The
    control has its accuracy. Bold: the top group of a compression. A method more than 5 points below the best has no
    interval, and one with a single seed a dash.
    """
    tables = [comparison(experiment, control, level, "" if threshold == "strict" else threshold) for level in levels]
    shown = {name for table in tables for name in table.index[table["difference"].notna()]} | {control}
    rows = []
    for name in sorted(shown, key=lambda name: -tables[0]["mean"].get(name, 0)):
        write = _control if name == control else _difference
        cells = [write(table.loc[[name]].iloc[0]) if name in table.index else NONE for table in tables]
        rows.append([f"`{name}`", *cells])
    return table_of([f"points above `{control}` at a compression of", *levels], rows)


def _control(line: pandas.Series) -> str:
    text = f"{rounded(line['mean'], 1)} %"
    return f"**{text}**" if line["top"] else text


def _difference(line: pandas.Series) -> str:
    if pandas.isna(line["difference"]):
        return NONE
    low, high = line["difference_low"], line["difference_high"]
    text = f"{line['difference']:+.1f}" + ("" if pandas.isna(low) else f" [{low:+.1f}, {high:+.1f}]")
    return f"**{text}**" if line["top"] else text


def _scattered(point: pandas.Series) -> bool:
    return bool(point["compression_max"] > 2 * point["compression_min"] or point["test_std"] > 2)


def _ratio(point: pandas.Series) -> float:
    return float(point["median_compression" if _scattered(point) else "compression"])


def _penalty_cell(point: pandas.Series, spreads: bool, digits: int) -> str:
    if _scattered(point):
        return f"{rounded(point['median'], digits)} ({_ratio(point):.0f}, median)"
    text = with_spread(point, digits) if spreads else rounded(point["test_mean"], digits)
    return f"{text} ({_ratio(point):.0f})"


def table_of(columns: list[str], rows: list[list[str]]) -> str:
    """Write a table in Markdown."""
    head, *body = ("| " + " | ".join(line) + " |" for line in [columns, *rows])
    return "\n".join([head, "|" + "---|" * len(columns), *body])
