"""Accuracies after training for several numbers of epochs: a table, and the numbers of sentences."""

from __future__ import annotations

import pandas

from benchmark.errors import UsageError
from plots.doc_blocks.published import folder, rounded
from plots.doc_blocks.tables import NONE


def budgets(experiment: str, compression: str) -> str:
    """Return a table of mean test accuracy at a compression: a line for each method, a column for each budget.

    A penalty's cell has the accuracy with the validated zero, and with the zero of its runs in parentheses.
    """
    table = pandas.read_csv(folder(experiment) / "budgets.csv")
    table = table[table["at"] == float(compression)]
    epochs = sorted(table["epochs"].unique())
    lines = [f"| method | {' | '.join(f'{number:g} epochs' for number in epochs)} |", f"|{'---|' * (len(epochs) + 1)}"]
    means = table.set_index(["method", "epochs", "zero"])["test_accuracy"]
    for method in dict.fromkeys(table["method"]):
        cells = []
        for number in epochs:
            own = {zero: means.get((method, number, zero)) for zero in ("validated", "strict")}
            texts = {zero: NONE if mean is None else rounded(mean, 1) for zero, mean in own.items()}
            penalty = (table["zero"] == "validated") & (table["method"] == method)
            both = penalty.any() and any(mean is not None for mean in own.values())
            cells.append(f"{texts['validated']} ({texts['strict']})" if both else texts["strict"])
        lines.append(f"| `{method}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def after(experiment: str, epochs: str, method: str, compression: str, zero: str = "strict") -> str:
    """Return the mean test accuracy of a method after some epochs at a compression; zero: strict or validated."""
    table = pandas.read_csv(folder(experiment) / "budgets.csv")
    table = table[(table["method"] == method) & (table["zero"] == zero)]
    found = table[(table["epochs"] == float(epochs)) & (table["at"] == float(compression))]
    if found.empty:
        raise UsageError(f"{experiment} has no {method} at {compression} after {epochs} epochs with the {zero} zero")
    return rounded(found["test_accuracy"].iloc[0], 1)
