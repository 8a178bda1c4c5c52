"""Time final networks: dense, compacted, with sparse rows, and by ONNX Runtime; `make bench-inference` runs it."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from rich.console import Console

from benchmark.errors import UsageError
from benchmark.profiling.forms import Form, Forward, forms_of, forward_of, runtime_of
from benchmark.profiling.memory import Measure, processes
from benchmark.profiling.timing import Turn, measurements, show, timed
from benchmark.records.files import replacing
from benchmark.records.schema import INFERENCE_COLUMNS
from benchmark.records.table import encoded, read
from benchmark.sweep.folder import ResultsFolder
from benchmark.sweep.kept import load_run
from benchmark.training.devices import cores, hardware, numerics

TURN = 0.004  # seconds that a turn takes at least, so that the clock and the call of it do not matter
PAUSE = 0.002  # seconds before a turn on several threads, in which the threads of the one before it stop waiting


def bench_inference(
    folder: Path, seconds: float, batches: tuple[int, ...] = (1, 256), threads_of: tuple[int, ...] = ()
) -> list[list[object]]:
    """Time all kept networks of a folder, add the rows to its inference.csv, and return them.

    Each network is timed in every form, batch and number of threads; its forms take turns for about `seconds`. On one
    thread the time is that of the thread on its processor, which other programs hardly change. On several threads it is
    the time that passes, which means nothing on a busy machine. A network or a form that cannot be timed is left out
    with a sentence. Raises UsageError if no network is there.
    """
    results = ResultsFolder(folder)
    table, timings = folder / "runs.csv", folder / "inference.csv"
    earlier = read(timings, INFERENCE_COLUMNS) if timings.exists() else []
    kept = [row for row in read(table) if results.network(row["key"]).exists()] if table.exists() else []
    if not kept:
        raise UsageError(f"{folder} holds no networks; `sparsefront run EXPERIMENT --keep-networks` writes them")
    rows: list[list[object]] = []
    with numerics(), torch.no_grad(), processes() as memory_of:
        for row in kept:
            try:
                model, task = load_run(row["key"], folder.parent)
            except UsageError as error:
                _note(f"{row['key']} is left out: {error}")
                continue
            inputs = task.synthetic_data().train[0][: max(batches)]
            inputs = inputs[torch.arange(max(batches)) % len(inputs)]  # there may be fewer examples
            forms = forms_of(model, inputs[:1], partial(_note_of, row["key"]))
            for threads in threads_of or dict.fromkeys((1, cores())):
                for batch in batches:
                    for name, numbers in _measure(forms, inputs[:batch], threads, seconds, memory_of):
                        run = [row[column] for column in INFERENCE_COLUMNS[:5]]
                        machine = [hardware(torch.device("cpu")), runtime_of(forms[name])]
                        rows.append([*run, name, batch, threads, *numbers, *machine])
            _say(row, rows)
            with replacing(timings, follow=False) as file:
                file.write(encoded([INFERENCE_COLUMNS], [*(list(row.values()) for row in earlier), *rows]))
    return rows


def _measure(
    forms: dict[str, Form], x: torch.Tensor, threads: int, seconds: float, memory_of: Measure
) -> Iterator[tuple[str, list[float]]]:
    """Yield the name of each form with its times, speed-ups and memory."""
    torch.set_num_threads(threads)
    timings = _time({name: forward_of(form, threads) for name, form in forms.items()}, x, seconds, threads)
    for name, numbers in timings.items():
        yield name, [*numbers, memory_of(forms[name], x, threads)]


def _time(forms: dict[str, Forward], x: torch.Tensor, seconds: float, threads: int) -> dict[str, list[float]]:
    """Return median and quartiles of each form's milliseconds, and those of its speed-up over `dense`."""
    clock = time.thread_time if threads == 1 else time.perf_counter
    turns, taken = {}, 0.0
    for name, forward in forms.items():
        forward(x)  # warms up
        begun = clock()
        forward(x)
        once = clock() - begun
        steps = max(1, round(TURN / once))
        taken += once * steps
        turn = timed(lambda forward=forward: forward(x), steps, "cpu", clock)  # type: ignore[misc]
        turns[name] = turn if threads == 1 else _after_a_pause(turn)
    times = measurements(turns, rounds=min(max(round(seconds / taken), 3), 101))
    return {
        name: [*_quartiles(own), *_quartiles([d / t for d, t in zip(times["dense"], own, strict=True)])]
        for name, own in times.items()
    }


def _quartiles(numbers: list[float]) -> list[float]:
    """Return the median and the quartiles below and above it."""
    low, middle, high = statistics.quantiles(numbers, n=4, method="inclusive")
    return [middle, low, high]


def _after_a_pause(turn: Turn) -> Turn:
    def paused() -> float:
        time.sleep(PAUSE)
        return turn()

    return paused


def _note_of(key: str, text: str) -> None:
    """Say what a network lacks."""
    _note(f"{key} has {text}")


def _note(text: str) -> None:
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)


def _say(row: dict[str, str], rows: list[list[object]]) -> None:
    """Print the timings of one network beside the speed-up that its nonzero weights promise."""
    lines = []
    for cells in rows:
        if cells[0] == row["key"]:
            form, batch, threads, *numbers = cells[5:-2]
            ms, low, high, speedup, *_, mb = (float(str(number)) for number in numbers)
            times = [f"{ms:.3f}", f"{low:.3f}-{high:.3f}", f"{speedup:.2f}"]
            lines.append([f"{form}", f"{batch}", f"{threads}", *times, f"{mb:.1f}"])
    title = (
        f"{row['task']} {row['method']} CR {float(row['compression']):.3g}: nonzero weights take "
        f"{float(row['theoretical_speedup']):.1f} times fewer multiply-adds, and the compacted network "
        f"{int(row['macs_dense']) / int(row['compact_macs']):.2f} times fewer"
    )
    show(title, ["form", "batch", "threads", "median ms", "quartiles", "speed-up", "MB"], lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="results of an experiment with kept networks")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each network, batch and number of threads")
    parser.add_argument("--threads", type=int, nargs="+", default=(), help="by default 1 and all cores")
    arguments = parser.parse_args()
    bench_inference(arguments.folder, arguments.seconds, threads_of=tuple(arguments.threads))
