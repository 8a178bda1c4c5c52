"""The tables and numbers of measured latency."""

from __future__ import annotations

import pandas

from benchmark.errors import UsageError
from plots.doc_blocks.published import folder, matching, rounded, runs
from plots.doc_blocks.tables import NONE
from plots.figures.inference import timings
from plots.looks import names

FORMS = ("compact", "csr", "onnx dense", "onnx")
PAYS = 1.25  # times faster, from which a form pays; equal networks differed by up to 1.13


def latency(experiment: str, task: str, batch: str, threads: str = "1") -> str:
    """Return a table of the networks of a task: how many times faster than dense each form is."""
    table = _timed(experiment, task, batch, threads)
    lines = [
        f"| method | compression | multiply-adds | {' | '.join(FORMS)} | memory in MB | file in kB |",
        f"|{'---|' * (len(FORMS) + 5)}",
    ]
    for method, name in names(table).items():
        for _, own in table[table["method"] == method].groupby("key", sort=False):
            forms, run = own.set_index("form"), own.iloc[0]
            memory = [_cell(forms, form, "memory_mb", 1) for form in FORMS[:2]]
            cells = [
                name,
                rounded(run["compression"], 0),
                rounded(run["theoretical_speedup"], 1),
                *(_cell(forms, form, "speedup", 2) for form in FORMS),
                " / ".join([_cell(forms, "dense", "memory_mb", 1), *memory]),
                rounded(run["file_bytes"] / 1000, 0),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(forms: pandas.DataFrame, form: str, column: str, digits: int) -> str:
    """Return a number of a form, which may not have been timed."""
    return rounded(float(forms[column][form]), digits) if form in forms.index else NONE


def pays(experiment: str, task: str, batch: str, threads: str = "1") -> str:
    """Return a table of the compression from which each form of each method is at least PAYS times as fast as dense.

    ONNX Runtime is compared with the dense network by ONNX Runtime, and the others with torch's. All larger
    compressions that were measured are as fast, too; the dash says that the largest one is not.
    """
    table = _timed(experiment, task, batch, threads)
    forms = [form for form in FORMS if form != "onnx dense"]
    lines = [f"| method | {' | '.join(forms)} |", f"|{'---|' * (len(forms) + 1)}"]
    for method, name in names(table[table["method"] != "dense"]).items():
        own = table[table["method"] == method].pivot(index="compression", columns="form", values="ms").sort_index()
        lines.append(f"| {name} | {' | '.join(_first(own, form) for form in forms)} |")
    return "\n".join(lines)


def gain(experiment: str, task: str, method: str, value: str, form: str, batch: str, threads: str = "1") -> str:
    """Return how many times faster than dense a form of one network is, as in 1.8."""
    own = matching(_timed(experiment, task, batch, threads), experiment, method, value=value)
    if (own := own[own["form"] == form]).empty:
        raise UsageError(f"{experiment} has no form {form} of {method}; forms are dense, {', '.join(FORMS)}")
    return rounded(own["speedup"].mean(), 1)


def _timed(experiment: str, task: str, batch: str, threads: str) -> pandas.DataFrame:
    """Return the timings of a task at a batch on a number of threads."""
    table = timings(folder(experiment), runs(experiment))
    own = table[(table["task"] == task) & (table["batch"] == int(batch)) & (table["threads"] == int(threads))]
    if own.empty:
        there = ", ".join(sorted(table["task"].unique()))
        raise UsageError(
            f"{experiment} has no timings of {task} at batch {batch} with threads={threads}; tasks are {there}"
        )
    return own


def _first(times: pandas.DataFrame, form: str) -> str:
    whole = "onnx dense" if form == "onnx" else "dense"
    if not {whole, form} <= set(times):
        return NONE
    slower = times[whole] / times[form] < PAYS
    rest = times.index[~slower[::-1].cummax()[::-1]]
    return rounded(rest.min(), 0) if len(rest) else NONE
