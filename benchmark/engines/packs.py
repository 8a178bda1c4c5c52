"""Which runs are trained together, and how that is done."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from benchmark.data import streamed
from benchmark.data.split import Data
from benchmark.data.synthetic import made, made_batches
from benchmark.engines.settings import Pack, Settings
from benchmark.experiments.run import Run
from benchmark.records.schema import Measurement, Status
from benchmark.tasks.registry import get_task
from benchmark.training.checkpoint import STOP, Checkpoint, keys_of
from benchmark.training.devices import settle
from benchmark.training.loop import train
from benchmark.training.measure import Result
from methods.core.registry import load_plugin, parse

MOST_READERS = 8  # processes that read images for one worker
SPARE = 0.1  # of an accelerator's free memory is left free


def make_packs(runs: list[Run], settings: Settings, workers: int = 1) -> list[Pack]:
    """Runs that differ in value and seed alone; on a CPU, where a pack gains nothing, one at a time, in order.

    A pack is no larger than a worker's share of all runs, and seeds are not mixed where the network draws while it
    trains, as for dropout, since what is drawn would be all runs'.
    """
    size = settings.pack or (-(-len(runs) // workers) if settings.device.startswith("cuda") else 1)
    if size == 1:
        return [[run] for run in runs]
    alike: dict[Run, Pack] = {}
    for run in runs:
        seed = run.seed if _draws(run.task) else 0
        alike.setdefault(replace(run, value=0.0, seed=seed), []).append(run)
    return [pack[start : start + size] for pack in alike.values() for start in range(0, len(pack), size)]


def compute(pack: Pack, settings: Settings) -> Iterator[list[tuple[Run, Result]]]:
    """The runs of a pack with their results, in as many parts as its checkpoints and the memory ask for."""
    rest, parts = dict.fromkeys(pack), []
    for keys in map(keys_of, sorted(settings.checkpoints.glob("*.pt")) if settings.checkpoints else ()):
        part = [run for run in rest if run.key in keys]
        if keys and [run.key for run in part] == keys:
            parts.append(part)
            rest = dict.fromkeys(run for run in rest if run not in part)
    left = list(rest)
    if left:
        size = settings.pack or (_largest(left[0], settings) if len(left) > 1 else 1)
        parts += [left[start : start + size] for start in range(0, len(left), size)]
    for part in parts:
        yield list(zip(part, _train(part, settings), strict=True))


@functools.cache
def _draws(task_name: str) -> bool:
    """Whether a task's network draws random numbers while it trains; one that cannot be run tells by itself, later."""
    task = get_task(task_name)
    with torch.random.fork_rng(devices=[]), torch.no_grad(), suppress(Exception):
        model = task.model()
        before = torch.get_rng_state()
        model(torch.zeros(2, *task.shape))
        return not torch.equal(before, torch.get_rng_state())
    return False


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
            load_data(run.task, run.synthetic, settings),
            run.precision,
            checkpoint,
            settings.timeout * len(part),
        )
    except TimeoutError as error:  # its checkpoint stays, for who gives it more time
        return [Result(Measurement(status=Status.TIMEOUT, error=str(error), pack=len(part))) for _ in part]
    except (Exception, SystemExit) as error:
        if STOP.is_set():  # whoever stopped this process stopped those that read for it
            raise KeyboardInterrupt from error
        short = _is_out_of_memory(error)
        if not short or len(part) == 1:
            status = Status.MEMORY if short else Status.ERROR
            failed = Measurement(status=status, error=f"{type(error).__name__}: {error}", pack=len(part))
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
    said = ("can't allocate memory", "out of memory")  # of a CPU, and of MPS and CUDA outside torch's own allocator
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(words in str(error) for words in said)


def _largest(run: Run, settings: Settings) -> int:
    """How many runs like this fit into the accelerator's free memory together; what one and two take tells."""
    if not settings.device.startswith("cuda"):
        return 1
    task, method = get_task(run.task), parse(run.method)
    taken = []
    try:
        load_data(run.task, run.synthetic, settings)  # which takes its share
        batch = made_batches(task.shape, task.classes, task.batch_size, 1).to(settings.device)
        for count in (1, 2):
            values, seeds = [run.value] * count, [run.seed + i for i in range(count)]
            results = train(task, method, values, seeds, 1, run.learning_rate, batch, run.precision)
            peak = results[0].measured.peak_memory_mb
            assert peak is not None  # on CUDA it is measured
            taken.append(peak)
    except Exception:  # whatever it is, the run itself will meet it, and have it in its row
        return 1
    torch.cuda.empty_cache()  # what torch keeps for later is free
    free, resident = torch.cuda.mem_get_info(settings.device)[0], torch.cuda.memory_allocated(settings.device)
    return fitting(free / 2**20, *(peak - resident / 2**20 for peak in taken))


def fitting(free: float, one: float, two: float) -> int:
    """Runs that fit into `free` megabytes, where one takes `one` and two take `two` beside what lies there anyway."""
    return max(1, int(((1 - SPARE) * free - one) / max(two - one, 1e-9)) + 1)


KEPT: dict[tuple[object, ...], Data] = {}  # data sets on their device, for the next run; two at most


def load_data(task_name: str, made_data: bool, settings: Settings, given: Data | None = None) -> Data:
    """A task's data on the device: as it was left there, as it is given, or as it is read."""
    key = task_name, made_data, settings.data_folder, settings.device
    if key not in KEPT:
        while len(KEPT) > 1:
            del KEPT[next(iter(KEPT))]
        task = get_task(task_name)
        loaded = given or (made(task.shape, task.classes) if made_data else task.data(settings.data_folder))
        KEPT[key] = loaded.to(settings.device)
    return KEPT[key]


@functools.cache
def load_plugins(plugins: tuple[Path, ...]) -> None:
    """Once a process."""
    for plugin in plugins:
        load_plugin(plugin)


def set_up(plugins: tuple[Path, ...], cores: int) -> None:
    """What a process does before it computes; so many cores are its share of the machine."""
    load_plugins(plugins)
    streamed.READERS = min(cores, MOST_READERS)
    settle()
