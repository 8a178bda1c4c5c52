"""The columns of the CSV files: what was asked of a run, what was measured, and where the row comes from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum

CURVE_COLUMNS = ("key", "epoch", "metric", "value")
LAYER_COLUMNS = ("key", "layer", "kept", "total")
THRESHOLD_COLUMNS = (
    "key", "threshold", "nonzeros", "density", "val_accuracy", "test_accuracy", "val_difference_se",
    "val_metric", "test_metric",
)  # fmt: skip
CORRECT_COLUMNS = ("key", "examples", "correct")
# In inference.csv: milliseconds of a batch, and the speed-up over the dense network in the same turns, with quartiles.
INFERENCE_COLUMNS = (
    "key", "task", "method", "value", "seed", "form", "batch", "threads", "ms", "ms_low", "ms_high", "speedup",
    "speedup_low", "speedup_high", "memory_mb", "hardware", "runtime",
)  # fmt: skip
# In initial_weights.csv, where `density` is the probability density of a weight.
INITIAL_COLUMNS = ("init", "depth", "weight", "density", "kurtosis")

# Families of methods, in the order of tables and figures. A plugin may name others, which follow.
FAMILIES = ("factorization", "penalty", "during training", "before training", "dynamic", "dense", "control")

EPSILON = 1.19e-7  # float32's machine epsilon, below which the DWF paper calls a weight zero
# Magnitudes below which a weight of a penalty run may be called zero; each run is counted at all of them.
THRESHOLDS = (EPSILON, 1e-6, 1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 2e-2, 3e-2)

# Columns that were renamed, by their old name; `read` understands both.
RENAMED = {"rest_rate": "other_learning_rate", "cut": "threshold"}
# Columns that are gone: `selection` was "last" in every row, since the last epoch is what is measured.
DROPPED = ("selection",)


class Status(StrEnum):
    """How a run ended. A run that diverged is finished: training it again would give the same. The others failed."""

    OK = "ok"
    DIVERGED = "diverged"
    MEMORY = "memory"
    TIMEOUT = "timeout"
    ERROR = "error"

    @property
    def failed(self) -> bool:
        """Whether `--retry failed` trains the run again."""
        return self in (Status.MEMORY, Status.TIMEOUT, Status.ERROR)


@dataclass(kw_only=True)
class Asked:
    """The part of a row that is known before training: the run, its recipe, and the versions that its key contains."""

    key: str  # identity of the run, a hash; see benchmark/experiments/run.py
    experiment: str
    task: str  # written form, as in lenet300-mnist[width=0.5]
    base_task: str = ""  # the task without its options
    width: float | None = None  # scale of the hidden layers, for tasks that have this option
    dataset: str = ""
    synthetic: bool = False  # trained on synthetic data, as by --tier smoke
    method: str  # written form, as in dwf[depth=4]
    label: str = ""  # the written form without the zero threshold, which has its own column
    family: str = ""  # factorization, penalty, ...: the method's family
    depth: int | None  # number of factors of a weight, for methods that factorize
    options: str  # every option of the method with its value, defaults included
    knob: str  # density, strength, penalty or none
    value: float  # value of the knob
    threshold: float | None = None  # magnitude below which a weight counts as zero; 0: exact zeros alone
    seed: int
    learning_rate: float  # peak
    other_learning_rate: float  # peak of biases, norms and other parameters that are not prunable
    epochs: int
    budgets: float | None = None  # how often the run trains for these epochs; 1 except for methods such as imp
    precision: str = "float32"  # float32, or bf16: autocast with float32 weights
    optimizer: str = ""  # as in sgd
    momentum: float | None = None
    weight_decay: float | None = None  # on the prunable weights, for methods without a penalty
    warmup: float | None = None  # fraction of each phase in which the learning rate rises
    augmentation: str = ""  # as in shift=4,flip=true; empty: none
    metric: str = "accuracy"  # by which the task judges a network
    better: str = "higher"  # or lower: which values of the metric are better
    task_version: int = 1
    method_version: int = 1


@dataclass(kw_only=True)
class Measurement:
    """The part of a row that training and evaluation give. Empty where a run did not come so far."""

    steps: int | None = None  # optimizer steps; methods of several budgets take more, a diverged run fewer
    batch_size: int | None = None
    penalty: float | None = None  # lambda, the weight of the penalty beside the mean loss, for methods that have one
    pack: int = 1  # runs trained together; memory is the pack's, seconds are the pack's divided by this
    prunable: int | None = None
    nonzeros: int | None = None
    density: float | None = None  # nonzeros / prunable
    compression: float | None = None  # prunable / nonzeros
    effective_nonzeros: int | None = None  # nonzero weights on a path from an input to an output
    effective_density: float | None = None  # effective_nonzeros / prunable
    effective_compression: float | None = None  # prunable / effective_nonzeros
    parameters: int | None = None  # all parameters of the dense network
    total_compression: float | None = None  # parameters / parameters that are left, unpruned ones included
    file_bytes: int | None = None  # the final network's safetensors file; empty where safetensors is not installed
    macs_dense: int | None = None  # multiply-adds for one example
    macs_sparse: int | None = None  # the same, for nonzero weights alone
    compact_parameters: int | None = None  # all parameters, zeros included, of the network without its dead units
    compact_macs: int | None = None  # its multiply-adds for one example, with all weights that it has
    theoretical_speedup: float | None = None  # macs_dense / macs_sparse
    batch_norm_recomputed: bool = False  # its running statistics, since weights changed after the last training step
    empty_layers: int | None = None  # prunable layers without a single nonzero weight
    train_loss: float | None = None  # the task's mean loss at the final network, like val_loss and test_loss
    uncut_train_loss: float | None = None  # train_loss of a penalty run before its small weights became zero
    exponent: float | None = None  # q of the method's penalty lambda sum |w|^q
    penalty_sum: float | None = None  # sum of |w|^q before small weights became zero
    objective: float | None = None  # uncut_train_loss + penalty * penalty_sum
    val_accuracy: float | None = None  # percent
    val_loss: float | None = None
    val_top5: float | None = None  # percent of examples whose class is among the five likeliest, from 100 classes on
    test_accuracy: float | None = None  # percent, of the last epoch
    test_loss: float | None = None
    test_top5: float | None = None
    val_metric: float | None = None  # the task's metric, if it is not accuracy
    test_metric: float | None = None
    chance: float | None = None  # the metric of a constant output on the test set: 10 for accuracy in ten classes
    train_seconds: float | None = None  # without evaluation and loading
    step_ms: float | None = None  # milliseconds of a step, without the method's set-up, phase starts and finish
    peak_memory_mb: float | None = None  # the device's peak; empty on a CPU, where only the process's peak is known
    status: Status = Status.OK
    error: str = ""  # the reason, where the status is not ok
    warning: str = ""  # faults of a finished network, such as an empty layer, and of its training
    device: str = ""  # cpu, cuda or mps
    hardware: str = ""  # model of the processor or accelerator that trained the run
    cpu_capability: str = ""  # vector instructions that torch used, as in AVX512; empty on other devices
    threads: int | None = None
    torch: str = ""  # version
    data_hash: str = ""  # hash of the data set as it was read; empty for synthetic data and where the loader gives none


@dataclass(kw_only=True)
class Row(Measurement, Asked):
    """One run: a row of runs.csv."""

    version: str = ""  # version of this package
    commit: str = ""  # commit of the code, with -dirty if files had changed since; empty without git, or unknown
    finished_at: str = ""  # UTC


COLUMNS = tuple(f.name for f in fields(Row))
# Cells of columns that an older version did not write.
DEFAULTS = {
    f.name: "" if f.default is None else str(f.default).lower() for f in fields(Row) if f.default is not MISSING
} | {"val_difference_se": ""}


_encode = json.JSONEncoder(sort_keys=True).encode  # json.dumps would make an encoder for each of many runs


def hash_fields(**declared: object) -> str:
    """Return a hash of named values, in any order, as 12 hexadecimal digits."""
    return hash_text(encode_fields(**declared))


def encode_fields(**declared: object) -> str:
    """Return the text of named values, in any order, that a key is the hash of."""
    return _encode(declared)


def hash_text(text: str) -> str:
    """Return the hash of a text as 12 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
