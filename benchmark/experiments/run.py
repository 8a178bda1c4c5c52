"""One run of a grid, and the key that identifies it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from operator import itemgetter

from benchmark.data.augmentation import Augmentation
from benchmark.errors import UsageError
from benchmark.records.schema import encode_fields, hash_text
from benchmark.tasks.registry import canonical_task, get_task
from benchmark.tasks.task import Task
from methods.core.base import Method
from methods.core.optimizers import Adam, Sgd
from methods.core.registry import MethodError, canonical_form, first_written_form, parse

# How optimizers and augmentations are written in keys: the name and the fields that they had when the first rows were
# made. A class may be renamed; a field that it gains is written only where it differs from its default.
HASHED: dict[type, tuple[str, tuple[str, ...]]] = {
    Sgd: ("Sgd", ("momentum", "nesterov")),
    Adam: ("Adam", ("betas", "epsilon")),
    Augmentation: ("Augmentation", ("shift", "flip", "cutout")),
}


@dataclass(frozen=True)
class Run:
    """One point of a grid: everything that decides what is computed.

    Task and method are kept in their canonical written form, so one computation has one key. Raises UsageError or
    MethodError where a written form is wrong.
    """

    task: str
    method: str
    value: float
    seed: int
    epochs: int
    learning_rate: float
    precision: str = "float32"
    synthetic: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "task", canonical_task(self.task))
        object.__setattr__(self, "method", canonical_form(self.method))
        for number in ("value", "learning_rate"):
            object.__setattr__(self, number, float(getattr(self, number)) + 0.0)  # 0.0 and not -0.0, which is the same

    @property
    def key(self) -> str:
        """Return the identity of the run, a hash of its fields, the task's recipe and the versions of task and method.

        A field at its neutral value is left out, so a new field changes no old key. Names in the hash are those that
        the fields had when the first rows were made.
        """
        return Keys().of(self)


Text = tuple[str, str]  # the text that a key is the hash of, before and after the seed


class Keys:
    """The keys of many runs: what runs share is written once, and most runs of a sweep differ in their seed alone."""

    def __init__(self) -> None:
        self._recipes: dict[tuple[str, str], tuple[Task, dict[str, object]]] = {}
        self._texts: dict[tuple[object, ...], Text] = {}

    def of(self, run: Run) -> str:
        return hash_around(self.text(run), run.seed)

    def text(self, run: Run) -> Text:
        """Return the text that runs share with this one if they differ in their seed alone."""
        shared = run.task, run.method, run.value, run.epochs, run.learning_rate, run.precision, run.synthetic
        if shared not in self._texts:
            task, recipe = self._recipe(run)
            own = {"value": run.value, "seed": None, "epochs": run.epochs, "learning_rate": run.learning_rate}
            optional = {
                "precision": (run.precision, "float32"),
                "made_data": (run.synthetic, False),
                "rest_rate": (task.other_lr(run.learning_rate), run.learning_rate),
            }
            before, mark, after = encode_fields(**recipe, **own, **_changed(optional)).partition('"seed": null')
            self._texts[shared] = before + mark.removesuffix("null"), after
        return self._texts[shared]

    def _recipe(self, run: Run) -> tuple[Task, dict[str, object]]:
        if (run.task, run.method) not in self._recipes:
            task, method = get_task(run.task), parse(run.method)
            fixed = {
                "task": run.task,
                "method": first_written_form(method),
                "batch_size": task.batch_size,
                "weight_decay": float(task.weight_decay),
                "warmup": float(task.warmup),
                "rule": hashed_form(task.optimizer),
            }
            optional = {
                "augmentation": (hashed_form(task.augmentation), "None"),
                "task_version": (task.version, 1),
                "method_version": (method_version(method, task), 1),
            }
            self._recipes[run.task, run.method] = task, fixed | _changed(optional)
        return self._recipes[run.task, run.method]


def hash_around(text: Text, seed: int) -> str:
    """Return the key of the run with this seed."""
    return hash_text(f"{text[0]}{seed}{text[1]}")


def _changed(optional: Mapping[str, tuple[object, object]]) -> dict[str, object]:
    """Return the values that are not neutral."""
    return {name: value for name, (value, neutral) in optional.items() if value != neutral}


def hashed_form(part: object) -> str:
    """Return an optimizer or augmentation as it is written in keys, such as `Sgd(momentum=0.9, nesterov=False)`."""
    if not is_dataclass(part):
        return str(part) if part is None else f"{type(part).__name__}({_assignments(vars(part))})"
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    name, always = HASHED.get(type(part), (type(part).__name__, tuple(values)))
    gained = [f.name for f in fields(part) if f.name not in always and values[f.name] != f.default]
    return f"{name}({_assignments({name: values[name] for name in (*always, *gained)})})"


def _assignments(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())


def method_version(method: Method, task: Task) -> int:
    """Return the version of a method on a task; it rises as well with the version of a method inside."""
    version = method.version + (method.batch_norm_version - 1 if task.batch_norm else 0)
    return version + (method_version(method.inner, task) - 1 if method.inner else 0)


# The columns that say which run a row is of, and under which key it was computed.
IDENTITY = (
    "key", "experiment", "task", "base_task", "method", "value", "seed", "epochs", "learning_rate", "precision",
    "synthetic",
)  # fmt: skip


def stale_keys(rows: Iterable[Mapping[str, str]]) -> set[str]:
    """Return the keys of rows whose task or method has changed since, in recipe or version.

    A row whose task or method is not known here, such as one of a plugin, does not count as stale.
    """
    stale, keys = set[str](), Keys()
    texts: dict[tuple[str, ...], Text | None] = {}
    cells = itemgetter(*(name for name in IDENTITY if name not in ("key", "seed")))
    for row in rows:
        shared = cells(row)
        with suppress(UsageError, MethodError, ValueError):
            if shared not in texts:
                texts[shared] = None
                texts[shared] = keys.text(run_of(row))
            text = texts[shared]
            if text and hash_around(text, int(row["seed"])) != row["key"]:
                stale.add(row["key"])
    return stale


def run_of(row: Mapping[str, str]) -> Run:
    """Return the run of a row.

    Raises UsageError or MethodError if it names no run. A row of an older version, which has no base task, says by the
    name of its experiment that its data was synthetic.
    """
    older = not row["base_task"]
    try:
        return Run(
            task=row["task"],
            method=row["method"],
            value=float(row["value"]),
            seed=int(row["seed"]),
            epochs=int(row["epochs"]),
            learning_rate=float(row["learning_rate"]),
            precision=row["precision"],
            synthetic=row["synthetic"].lower() == "true" or (older and row["experiment"].endswith("-smoke")),
        )
    except ValueError as error:
        if isinstance(error, UsageError | MethodError):
            raise
        raise UsageError(f"run {row['key']} holds something that is no number ({error})") from None
