"""The keys of all published rows, none of which may ever change."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from benchmark.experiments.run import Run
from benchmark.records.schema import hash_fields
from benchmark.records.table import read
from methods.core.registry import label, parse, written_options
from methods.core.spec import split_list

ROOT = Path(__file__).parents[3]
ROWS = [row for path in sorted(ROOT.glob("results/reference/*/runs.csv")) for row in read(path)]
# Rows of an older version of their method: `dwf`, `snip` with iterations and `prox-l1` are at version 2,
# and so are gmp, rigl and set; penalties on networks with batch norm are at version 3.
OLDER = {"prox-l1": 24, "prox-lq[q=2/3]": 12, "snip[iterations=100]": 6, "gmp": 66, "rigl": 51, "set": 51}
DWF = 797


def test_no_key_of_a_published_row_moves() -> None:
    """If a key changes, every user's finished runs are computed again."""
    assert len(ROWS) >= 7198
    older: Counter[str] = Counter()
    today = []
    for row in ROWS:
        point = row["task"], row["method"], float(row["value"]), int(row["seed"]), int(row["epochs"])
        key = Run(*point, float(row["learning_rate"]), row["precision"]).key
        today.append(key)
        if key != row["key"]:
            older[row["method"]] += 1
    assert {method: n for method, n in older.items() if not method.startswith("dwf")} == OLDER
    assert sum(older.values()) - sum(OLDER.values()) == DWF
    # The rows of an older version have a key today, too, which is the one that a new run of theirs would get.
    digest = hashlib.sha256(" ".join(sorted(set(today))).encode()).hexdigest()
    assert digest[:16] == "77c9c73047970f32"


def key_from_columns(row: Mapping[str, str]) -> str:
    """Compute a key from the columns of a row alone, without the task, the method or any of today's recipes."""
    sgd, adam = f"Sgd(momentum={row['momentum']}, nesterov=False)", "Adam(betas=(0.9, 0.999), epsilon=1e-08)"
    pairs = [pair.split("=") for pair in row["augmentation"].split(",") if pair]
    augmentation = ", ".join(f"{name}={value.capitalize()}" for name, value in pairs)
    hashed: dict[str, object] = {
        "task": row["task"],
        "method": row["method"],
        "value": float(row["value"]),
        "seed": int(row["seed"]),
        "epochs": int(row["epochs"]),
        "learning_rate": float(row["learning_rate"]),
        "batch_size": int(row["batch_size"]),
        "weight_decay": float(row["weight_decay"]),
        "warmup": float(row["warmup"]),
        "rule": {"sgd": sgd, "adam": adam}[row["optimizer"]],
    }
    if row["precision"] != "float32":
        hashed["precision"] = row["precision"]
    if row["synthetic"] != "false":
        hashed["made_data"] = True
    if row["other_learning_rate"] != row["learning_rate"]:
        hashed["rest_rate"] = float(row["other_learning_rate"])
    if augmentation:
        hashed["augmentation"] = f"Augmentation({augmentation})"
    for version in ("task_version", "method_version"):
        if row[version] != "1":
            hashed[version] = int(row[version])
    return hash_fields(**hashed)


def test_a_row_holds_everything_that_its_key_is_made_of() -> None:
    assert [row["key"] for row in ROWS if key_from_columns(row) != row["key"]] == []
    assert {row["method_version"] for row in ROWS if row["method"] == "prox-l1"} == {"1", "2"}


def test_a_row_agrees_with_its_method() -> None:
    for row in ROWS:
        method = parse(row["method"])
        assert (row["label"], row["family"]) == (label(method), method.family), row["key"]
        assert row["knob"] == method.knob, row["key"]
        today, defaults = set(split_list(written_options(method))), set(split_list(written_options(type(method)())))
        recorded = set(split_list(row["options"]))
        # An older version may have had other options, or other defaults.
        assert recorded <= today or row["method"] in OLDER or method.name == "dwf", row["key"]
        assert today - recorded <= defaults, row["key"]  # options that are newer than the row
