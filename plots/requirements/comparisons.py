"""The requirements on the choice of what is compared: tasks, baselines, budget and recipe."""

from __future__ import annotations

import pandas

from plots.requirements.verdicts import Results, Verdict, each_task, some
from plots.summaries import budgets

# Data sets that the paper calls too easy to compare methods on.
TOYS = {"digits", "MNIST", "FashionMNIST", "KMNIST", "QMNIST", "EMNIST"}
PAIRS = 3  # least number of pairs of network and data set, and of families
PIPELINE = ["epochs", "batch_size", "precision", "optimizer", "momentum", "warmup", "augmentation", "task_version"]


def pairs(results: Results) -> Verdict:
    """Compare on at least three pairs of network and data set that are no toys."""
    real = results.there[~results.there["dataset"].isin(TOYS) & (results.there["synthetic"] != "true")]
    pairs = sorted(set(real.loc[real["dataset"] != "", "base_task"]))
    toys = sorted(set(results.there["dataset"]) & TOYS)
    left_out = f"; toys: {', '.join(toys)}" if toys else ""
    return len(pairs) >= PAIRS, f"{len(pairs)} of {PAIRS}{': ' * bool(pairs)}{some(pairs)}{left_out}"


def control(results: Results) -> Verdict:
    """Measure the dense network by the same code, for every task and seed."""
    dense = results.there[results.there["method"] == "dense"]
    have = set(zip(dense["task"], dense["seed"], strict=True))
    asked = set(zip(results.there["task"], results.there["seed"], strict=True))
    lacking = [f"{task} seed {seed:g}" for task, seed in sorted(asked - have)]
    return not lacking, f"dense lacks {some(lacking)}" if lacking else f"dense was measured for all {len(asked)} pairs"


def pipeline(results: Results) -> Verdict:
    """Train all methods of a task with the same library, data and schedule; the learning rate is each method's own."""
    faults = []
    for task, own in results.there.groupby("task"):
        for name in [*PIPELINE, "data_hash", "torch"]:
            values = sorted({str(value).partition("+")[0] for value in own[name].dropna().unique() if value != ""})
            faults += [f"{name} on {task} is {' or '.join(values)}"] if len(values) > 1 else []
    return not faults, some(faults) or "one recipe, data set and version of torch for each task"


def random(results: Results) -> Verdict:
    """Compare with random masks, over the whole network and with the same densities of layers."""
    return each_task(
        results, {"random": results.there["method"] == "random", "shuffled": _named(results, "kind=shuffle")}
    )


def magnitude(results: Results) -> Verdict:
    """Compare with magnitude pruning."""
    return each_task(results, {"magnitude": results.there["method"].str.fullmatch(r"(?:magnitude|gmp|imp)(?:\[.*)?")})


def kinds(results: Results) -> Verdict:
    """Compare methods of at least three families, and say where every number comes from."""
    families = sorted(set(results.there["family"]) - {"", "dense", "control"})
    unknown = int(results.there["commit"].isin(["", "unknown"]).sum())
    own = f"; {unknown} rows name no commit" if unknown else "; all are runs of this suite, with their commit"
    return len(families) >= PAIRS and not unknown, f"{len(families)} families: {', '.join(families)}{own}"


def budget(results: Results) -> Verdict:
    """Give every method the same number of training steps."""
    more = budgets(results.runs)
    return not more, more or "all took as many steps"


def _named(results: Results, text: str) -> pandas.Series:
    return results.there["method"].str.contains(text, regex=False)
