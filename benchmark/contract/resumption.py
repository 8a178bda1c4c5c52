"""The promise that an interrupted run ends as if it had not been interrupted."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmark.contract.promise import TIMES, require
from benchmark.contract.stage import Build, toy_data, toy_task, values_of
from benchmark.training.checkpoint import Checkpoint
from benchmark.training.loop import train
from benchmark.training.measure import Result
from methods.core.registry import parse


class _Dying(Checkpoint):
    """A checkpoint that saves before one given step, and ends the run there."""

    moment = 0
    count = -1

    def due(self) -> bool:
        self.count += 1
        return self.count == self.moment

    def save(self, state: dict[str, Any]) -> None:
        super().save(state)
        raise InterruptedError


def resumes_bit_for_bit(form: str, build: Build) -> None:
    task, values = toy_task(build), values_of(form)[-1:]
    peak_lr = task.learning_rate_of(parse(form))

    def trained(checkpoint: Checkpoint | None = None) -> Result:
        (result,) = train(task, parse(form), values, [0], 2, peak_lr, toy_data(), "float32", checkpoint)
        return result

    whole = trained()
    assert whole.measured.steps is not None
    with tempfile.TemporaryDirectory() as folder:
        for moment in (whole.measured.steps // 5, whole.measured.steps // 2):
            dying = _Dying(Path(folder), ["one"])
            dying.moment = moment
            try:
                trained(dying)
            except InterruptedError:
                require(not dying.warnings, f"the checkpoint was not used: {' '.join(dying.warnings)}")
            else:
                require(False, "the run took fewer steps after it was resumed")
        last = Checkpoint(Path(folder), ["one"])
        resumed = trained(last)
        require(last.path.exists() and not last.warnings, f"the checkpoint was not used: {' '.join(last.warnings)}")
    for name, expected in asdict(whole.measured).items():
        found = getattr(resumed.measured, name)
        same = name in TIMES or repr(found) == repr(expected)  # by text, in which NaN equals NaN
        require(same, f"{name} is {found} after an interruption, and {expected} without; is all its state saved?")
    for name in ("curves", "layers", "at_thresholds", "correct"):
        same = repr(getattr(resumed, name)) == repr(getattr(whole, name))
        require(same, f"the {name} differ after an interruption; is all its state saved?")
