"""The columns of the CSV files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields

CURVE_COLUMNS = ("key", "epoch", "metric", "value")

LAYER_COLUMNS = ("key", "layer", "kept", "total")

CUT_COLUMNS = ("key", "cut", "nonzeros", "density", "val_accuracy", "test_accuracy")

INITIAL_COLUMNS = ("init", "depth", "weight", "density", "kurtosis")  # density: of the probability of a weight's size

CUTS = (1.19e-7, 1e-6, 1e-5, 1e-4, 1e-3)  # magnitudes below which a weight of a penalty run may be called zero


@dataclass
class Row:
    """One run. What was asked comes first and is always there; what was measured is empty where a run failed."""

    key: str  # identity of the run: a hash of its declared fields
    experiment: str
    task: str
    method: str  # written form, as in dwf[depth=4]
    depth: int | None
    options: str  # every option with its value, defaults included
    knob: str  # density, strength, penalty or none
    value: float
    penalty: float | None  # lambda, where there is one, beside the mean loss
    seed: int
    learning_rate: float  # peak
    rest_rate: float  # the same, of biases, norms and whatever else is not prunable
    epochs: int
    steps: int | None  # of the optimizer; a method of several budgets takes more than others, a diverged run fewer
    batch_size: int
    pack: int  # runs trained together as one program; seconds and memory are the pack's, seconds divided by its size
    prunable: int | None = None
    nonzeros: int | None = None
    density: float | None = None  # nonzeros / prunable
    compression: float | None = None  # prunable / nonzeros
    parameters: int | None = None  # all parameters of the dense network
    macs_dense: int | None = None  # multiply-adds for one example
    macs_sparse: int | None = None  # the same, for nonzero weights alone
    theoretical_speedup: float | None = None  # macs_dense / macs_sparse
    empty_layers: int | None = None  # prunable layers without a single nonzero weight
    train_loss: float | None = None  # mean cross-entropy of the final network, as the other two
    val_accuracy: float | None = None  # percent
    val_loss: float | None = None
    test_accuracy: float | None = None  # percent
    test_loss: float | None = None
    selection: str = "last"  # the epoch that is measured
    train_seconds: float | None = None  # without evaluation and loading
    step_ms: float | None = None  # without what the method does before its first step
    peak_memory_mb: float | None = None  # of the worker on a CPU, of the device elsewhere
    status: str = "ok"  # ok, diverged, memory, timeout or error
    error: str = ""  # the reason, where the status is not ok
    device: str = ""
    precision: str = ""
    threads: int | None = None
    torch: str = ""
    version: str = ""  # of this package
    commit: str = ""  # of its code, with -dirty where that was changed since; empty outside a git checkout
    finished_at: str = ""  # UTC


COLUMNS = tuple(f.name for f in fields(Row))


def key(**declared: object) -> str:
    """Hash the declared fields of a run, in any order, to 12 hexadecimal digits."""
    return hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()[:12]
