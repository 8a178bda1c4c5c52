"""Training reads no number back from the device at each step, so the host never waits for it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from benchmark.data.augmentation import Augmentation
from benchmark.data.synthetic import synthetic_data
from benchmark.training.loop import train
from methods.core.registry import parse
from tests.builders import batch_norm_cnn, toy_task

READS = ("_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero")
METHODS = ["dwf", "dwf[depth=2,decay=decoupled]", "snip", "magnitude", "l1", "prox-l1", "prox-lq", "str", "ham"]


class Reads(TorchDispatchMode):
    """A mode that counts the operations that make the host wait for a value."""

    count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += function.overloadpacket.__name__ in READS
        return function(*args, **(kwargs or {}))


def on_a_processor(run: Callable[[], object]) -> int:
    with Reads() as reads:
        run()
    return reads.count


def on_an_accelerator(run: Callable[[], object]) -> int:
    run()  # what is done once, like compiling, may wait
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")  # the mode itself warns, that it is a prototype
        torch.cuda.set_sync_debug_mode("warn")
        try:
            run()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return sum("called a synchronizing" in str(warning.message) for warning in told)


@pytest.mark.parametrize(
    ("device", "count"),
    [
        ("cpu", on_a_processor),
        pytest.param(
            "cuda",
            on_an_accelerator,
            marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no accelerator"),
        ),
    ],
    ids=["cpu", "cuda"],
)
@pytest.mark.parametrize("method", METHODS)
def test_the_number_of_host_reads_does_not_grow_with_the_steps(
    method: str, device: str, count: Callable[[Callable[[], object]], int]
) -> None:
    data = synthetic_data((1, 4, 4), 4).to(device)
    counts = []
    for batch_size in (500, 100):  # four steps an epoch, and twenty
        task = toy_task(batch_norm_cnn, batch_size=batch_size, augmentation=Augmentation(shift=1))
        arguments: Any = (task, parse(method), [0.5, 0.25], [0, 1], 1, 0.1, data, "float32")
        counts.append(count(partial(train, *arguments)))
    assert counts[0] == counts[1] and counts[0] > 0
