"""Which runs are trained together, and how that is done."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from benchmark import data
from benchmark.checkpoint import Checkpoint, keys_of
from benchmark.engines import Pack, Settings
from benchmark.experiments import Run
from benchmark.images import Images
from benchmark.measure import Result
from benchmark.tasks import get_task
from benchmark.train import train
from methods.registry import load_plugin, parse

SPARE = 0.1  # of an accelerator's free memory is left free


def make_packs(runs: list[Run], settings: Settings) -> list[Pack]:
    """Runs that differ in value and seed alone; on a CPU, where a pack gains nothing, one at a time, in order."""
    size = settings.pack or (len(runs) if settings.device.startswith("cuda") else 1)
    if size == 1:
        return [[run] for run in runs]
    alike: dict[Run, Pack] = {}
    for run in runs:
        alike.setdefault(replace(run, value=0.0, seed=0), []).append(run)
    return [pack[start : start + size] for pack in alike.values() for start in range(0, len(pack), size)]


def compute(pack: Pack, settings: Settings) -> Iterator[list[tuple[Run, Result]]]:
    """The runs of a pack with their results, in as many parts as its checkpoints and the memory ask for."""
    rest, parts = dict.fromkeys(pack), []
    for keys in map(keys_of, sorted(settings.checkpoints.glob("*.pt")) if settings.checkpoints else ()):
        part = [run for run in rest if run.key in keys]
        if keys and [run.key for run in part] == keys:
            parts.append(part)
            rest = dict.fromkeys(run for run in rest if run not in part)
    groups = [list(rest)] if rest else []
    if len({run.seed for run in rest}) > 1 and not _mixes_seeds(pack[0], settings):
        groups = [[run for run in rest if run.seed == seed] for seed in dict.fromkeys(run.seed for run in rest)]
    for group in groups:
        size = settings.pack or (_largest(group[0], settings) if len(group) > 1 else 1)
        parts += [group[start : start + size] for start in range(0, len(group), size)]
    for part in parts:
        yield list(zip(part, _train(part, settings), strict=True))


def _mixes_seeds(run: Run, settings: Settings) -> bool:
    """Whether runs of several seeds can be one program.

    Not where the network draws while it trains, as for dropout, since what is drawn would be all runs', nor where
    images are read from files, since each seed would read its own.
    """
    inputs = load_data(run.task, run.made_data, settings).train[0]
    if isinstance(inputs, Images):
        return False
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        model = get_task(run.task).model()
        before = torch.get_rng_state()
        model(inputs[:2].cpu())
        return torch.equal(before, torch.get_rng_state())


def _train(part: Pack, settings: Settings) -> list[Result]:
    """Train runs together; what is raised becomes their results, but where memory is short they are halved."""
    run = part[0]
    keys = [member.key for member in part]
    checkpoint = Checkpoint(settings.checkpoints, keys) if settings.checkpoints else None
    try:
        results = train(
            get_task(run.task),
            parse(run.method),
            [member.value for member in part],
            [member.seed for member in part],
            run.epochs,
            run.learning_rate,
            load_data(run.task, run.made_data, settings),
            run.precision,
            checkpoint,
            settings.timeout * len(part),
        )
    except TimeoutError as error:  # its checkpoint stays, for who gives it more time
        return [Result({"status": "timeout", "error": str(error), "pack": len(part)}) for _ in part]
    except (Exception, SystemExit) as error:
        short = _is_out_of_memory(error)
        if not short or len(part) == 1:
            failed: dict[str, object] = {
                "status": "memory" if short else "error",
                "error": f"{type(error).__name__}: {error}",
                "pack": len(part),
            }
            results = [Result(failed) for _ in part]
            results[0].traceback = "" if short else traceback.format_exc()
        else:
            results = []
    if not results:  # here, where the error no longer holds the memory
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        half = (len(part) + 1) // 2
        return [*_train(part[:half], settings), *_train(part[half:], settings)]
    if checkpoint:
        results[-1].checkpoint, results[-1].warnings = checkpoint.path, checkpoint.warnings
    return results


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _largest(run: Run, settings: Settings) -> int:
    """How many runs like this fit into the accelerator's free memory together; what one and two take tells."""
    if not settings.device.startswith("cuda"):
        return 1
    loaded = load_data(run.task, run.made_data, settings)
    task, method = get_task(run.task), parse(run.method)
    splits = (loaded.train, loaded.val, loaded.test)
    batch = data.Data(*((inputs[: task.batch_size], labels[: task.batch_size]) for inputs, labels in splits))
    taken = []
    for count in (1, 2):
        values, seeds = [run.value] * count, [run.seed + i for i in range(count)]
        results = train(task, method, values, seeds, 1, run.learning_rate, batch, run.precision)
        taken.append(float(str(results[0].measured["peak_memory_mb"])))
    return fitting(torch.cuda.mem_get_info(torch.device(settings.device))[0] / 2**20, *taken)


def fitting(free: float, one: float, two: float) -> int:
    """Runs that fit into `free` megabytes, where one takes `one` and two take `two`."""
    return max(1, int(((1 - SPARE) * free - one) / max(two - one, 1e-9)) + 1)


KEPT: dict[tuple[object, ...], data.Data] = {}  # data sets on their device, for the next run; two at most


def load_data(task_name: str, made_data: bool, settings: Settings, given: data.Data | None = None) -> data.Data:
    """A task's data on the device: as it was left there, as it is given, or as it is read."""
    key = task_name, made_data, settings.data_folder, settings.device
    if key not in KEPT:
        while len(KEPT) > 1:
            del KEPT[next(iter(KEPT))]
        task = get_task(task_name)
        loaded = given or (data.made(task.shape, task.classes) if made_data else task.data(settings.data_folder))
        KEPT[key] = loaded.to(settings.device)
    return KEPT[key]


@functools.cache
def load_plugins(plugins: tuple[Path, ...]) -> None:
    """Once a process."""
    for plugin in plugins:
        load_plugin(plugin)


def set_up(plugins: tuple[Path, ...]) -> None:
    """What a process does before it computes."""
    load_plugins(plugins)
    torch.set_num_threads(1)  # one thread a worker: on small networks more threads lose
    torch.set_flush_denormal(True)  # products of factors near zero are denormal, which slows a CPU two-fold
