"""Time final networks: dense, compacted, with sparse rows, and by ONNX Runtime; `make bench-inference` runs it."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn

from benchmark.deployment.compact import compact
from benchmark.deployment.exports import onnx_program
from benchmark.deployment.sparse_rows import with_sparse_rows
from benchmark.errors import UsageError
from benchmark.profiling.timing import measurements, show, timed
from benchmark.records.files import replacing
from benchmark.records.schema import INFERENCE_COLUMNS
from benchmark.records.table import encoded, read
from benchmark.sweep.folder import ResultsFolder
from benchmark.sweep.kept import load_run
from benchmark.training.devices import cores, hardware, numerics

Forward = Callable[[torch.Tensor], object]

TURN = 0.004  # seconds that a turn takes at least, so that the clock and the call of it do not matter


def bench_inference(
    folder: Path, seconds: float, batches: tuple[int, ...] = (1, 256), threads_of: tuple[int, ...] = ()
) -> list[list[object]]:
    """Time all kept networks of a folder, write its inference.csv, and return the rows.

    Each network is timed in every form, batch and number of threads; its forms take turns for about `seconds`. On one
    thread the time is that of the thread on its processor, which other programs hardly change. On several threads it is
    the time that passes, which means nothing on a busy machine. Raises UsageError if no network is there.
    """
    results = ResultsFolder(folder)
    table = folder / "runs.csv"
    kept = [row for row in read(table) if results.network(row["key"]).exists()] if table.exists() else []
    if not kept:
        raise UsageError(f"{folder} holds no networks; `sparsefront run EXPERIMENT --keep-networks` writes them")
    rows: list[list[object]] = []
    machine = hardware(torch.device("cpu"))
    whole: dict[str, bytes] = {}  # dense networks of ONNX, which take the same time for all runs of a task
    with numerics(), torch.no_grad():
        for row in kept:
            model, task = load_run(row["key"], folder.parent)
            inputs = task.synthetic_data().train[0]
            small = compact(model, inputs[:1])
            forms: dict[str, Forward] = {"dense": model, "compact": small}
            if torch.backends.mkl.is_available():
                forms["csr"] = with_sparse_rows(small)
            contents = {}
            if find_spec("onnxruntime"):
                whole[row["task"]] = whole.get(row["task"]) or _onnx(model, inputs[:1])
                contents = {"onnx dense": whole[row["task"]], "onnx": _onnx(small, inputs[:1])}
            for threads in threads_of or dict.fromkeys((1, cores())):
                torch.set_num_threads(threads)
                ready = forms | {name: _by_onnx(content, threads) for name, content in contents.items()}
                for batch in batches:
                    clock = time.thread_time if threads == 1 else time.perf_counter
                    timings = _time(ready, inputs[:batch], seconds, clock)
                    rows += [[row["key"], name, batch, threads, *numbers, machine] for name, numbers in timings.items()]
            _say(row, rows)
    with replacing(folder / "inference.csv") as file:
        file.write(encoded([INFERENCE_COLUMNS], rows))
    return rows


def _time(
    forms: dict[str, Forward], x: torch.Tensor, seconds: float, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Return median and quartiles of each form's milliseconds, and those of its speed-up over `dense`."""
    turns, taken = {}, 0.0
    for name, forward in forms.items():
        forward(x)  # warms up
        begun = clock()
        forward(x)
        once = clock() - begun
        steps = max(1, round(TURN / once))
        taken += once * steps
        turns[name] = timed(lambda forward=forward: forward(x), steps, "cpu", clock)  # type: ignore[misc]
    times = measurements(turns, rounds=min(max(round(seconds / taken), 3), 101))
    return {
        name: [*_quartiles(own), *_quartiles([d / t for d, t in zip(times["dense"], own, strict=True)])]
        for name, own in times.items()
    }


def _quartiles(numbers: list[float]) -> list[float]:
    """Return the median and the quartiles below and above it."""
    low, middle, high = statistics.quantiles(numbers, n=4, method="inclusive")
    return [middle, low, high]


def _onnx(model: nn.Module, example: torch.Tensor) -> bytes:
    return bytes(onnx_program(model, example).model_proto.SerializeToString())


def _by_onnx(content: bytes, threads: int) -> Forward:
    """Return the forward pass of a model of ONNX by ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(content, options)
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x.numpy()})


def _say(row: dict[str, str], rows: list[list[object]]) -> None:
    """Print the timings of one network beside the speed-up that its nonzero weights promise."""
    lines = []
    for key, form, batch, threads, *numbers, _ in rows:
        if key == row["key"]:
            ms, low, high, speedup, *_ = (float(str(number)) for number in numbers)
            lines.append([f"{form}", f"{batch}", f"{threads}", f"{ms:.3f}", f"{low:.3f}-{high:.3f}", f"{speedup:.2f}"])
    title = (
        f"{row['task']} {row['method']} CR {float(row['compression']):.3g}: nonzero weights take "
        f"{float(row['theoretical_speedup']):.1f} times fewer multiply-adds, and the compacted network "
        f"{int(row['macs_dense']) / int(row['compact_macs']):.2f} times fewer"
    )
    show(title, ["form", "batch", "threads", "median ms", "quartiles", "speed-up"], lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="results of an experiment with kept networks")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each network, batch and number of threads")
    parser.add_argument("--threads", type=int, nargs="+", default=(), help="by default 1 and all cores")
    arguments = parser.parse_args()
    bench_inference(arguments.folder, arguments.seconds, threads_of=tuple(arguments.threads))
