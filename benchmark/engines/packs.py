"""Packs: the runs that are trained together, and their training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from benchmark.engines.settings import Pack, Settings
from benchmark.engines.worker import Worker
from benchmark.errors import error_text, traceback_text
from benchmark.experiments.run import Keys, Run
from benchmark.records.schema import Measurement, Status
from benchmark.tasks.registry import get_task
from benchmark.training.checkpoint import Checkpoint, keys_of
from benchmark.training.loop import OutOfTime, train
from benchmark.training.measure import Result
from methods.core.base import Method
from methods.core.registry import parse

SPARE = 0.1  # fraction of an accelerator's free memory that stays free


def make_packs(runs: list[Run], settings: Settings, workers: int = 1) -> list[Pack]:
    """Group runs that differ in value, seed and learning rate alone and take as many budgets.

    Runs that share a checkpoint are a pack whatever its size, and come first. On a CPU, where training together gains
    nothing, a pack is one run, or the runs that share one training, and the order of runs is kept. A pack is no larger
    than a worker's share of all runs. If a task's network draws random numbers in training, as dropout does, a pack has
    one seed, since its runs share the draws. A method with `packs = False` trains its runs one by one.
    """
    begun, runs = _begun(runs, settings)
    size = settings.pack or (-(-len(runs) // workers) if settings.device.startswith("cuda") else 1)
    if size <= 1:
        packs: dict[Run, Pack] = {}
        shared = {method: _shares_training(parse(method)) for method in {run.method for run in runs}}
        for run in runs:
            packs.setdefault(replace(run, value=0.0) if shared[run.method] else run, []).append(run)
        return begun + list(packs.values())
    draws = {task: _draws(task) for task in {run.task for run in runs}}
    alike: dict[tuple[Run, tuple[float, ...]], Pack] = {}
    for run in runs:
        method, seed = parse(run.method), run.seed if draws[run.task] else 0
        same = replace(run, value=0.0, seed=seed, learning_rate=1.0) if method.packs else run
        alike.setdefault((same, method.phases_at(run.value)), []).append(run)
    return begun + [pack[start : start + size] for pack in alike.values() for start in range(0, len(pack), size)]


def _shares_training(method: Method) -> bool:
    return method.cuts_at_end and method.packs


def _begun(runs: list[Run], settings: Settings) -> tuple[list[Pack], list[Run]]:
    """Divide runs into those that a checkpoint holds together, and the others."""
    packs: list[Pack] = []
    found = sorted(settings.checkpoints.glob("*.pt")) if settings.checkpoints else []
    if not found:
        return packs, runs
    keys = Keys()
    others = {keys.of(run): run for run in runs}
    for held in map(keys_of, found):
        if held and all(key in others for key in held):
            packs.append([others.pop(key) for key in held])
    return packs, list(others.values())


def _draws(task_name: str) -> bool:
    """Tell whether a task's network draws random numbers in training; one that fails here fails again in its run."""
    task = get_task(task_name)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        try:
            model = task.model()
            before = torch.get_rng_state()
            model(task.zeros(2))
        except KeyboardInterrupt:
            raise
        except BaseException:
            return False
        return not torch.equal(before, torch.get_rng_state())


def compute(pack: Pack, worker: Worker) -> Iterator[list[tuple[Run, Result]]]:
    """Train a pack and yield its runs with their results, in parts.

    Runs that share a checkpoint are one part. The other runs are divided into parts that fit into memory.
    """
    settings = worker.settings
    parts, left = _begun(pack, settings)
    if left:
        if _shares_training(parse(left[0].method)) and len({(run.seed, run.learning_rate) for run in left}) == 1:
            size = len(left)  # one training
        else:
            size = settings.pack or (_largest(left[0], worker) if len(left) > 1 else 1)
        parts += [left[start : start + size] for start in range(0, len(left), size)]
    for part in parts:
        yield list(zip(part, _train(part, worker), strict=True))


def _train(part: Pack, worker: Worker) -> list[Result]:
    """Train runs together, or by halves if memory runs short, or one by one after another error.

    An error of a run alone becomes its result. A run that failed keeps its checkpoint, so that `--retry failed` goes
    on from there.
    """
    run, settings = part[0], worker.settings
    keys = [member.key for member in part]
    checkpoint = Checkpoint(settings.checkpoints, keys) if settings.checkpoints else None
    try:
        data = worker.data(run.task, run.synthetic)
        results = train(
            get_task(run.task),
            parse(run.method),
            [member.value for member in part],
            [member.seed for member in part],
            run.epochs,
            [member.learning_rate for member in part],
            data,
            run.precision,
            checkpoint,
            settings.timeout * len(part),
            worker.stop,
            settings.keep_networks,
        )
        for result in results:
            result.measured.data_hash = data.digest
    except OutOfTime as error:
        return [Result(Measurement(status=Status.TIMEOUT, error=str(error), pack=len(part))) for _ in part]
    except BaseException as error:  # a method may raise anything, even what Ctrl-C raises
        # The processes that read images for this one may have been stopped with it.
        if worker.stop.is_set() and _is(error, RuntimeError, OSError, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        short, reason, results = _is_out_of_memory(error), error_text(error), []
        if len(part) == 1:
            status = Status.MEMORY if short else Status.ERROR
            results = [Result(Measurement(status=status, error=reason, pack=1))]
            results[0].traceback = "" if short else traceback_text()
    if not results:  # outside the handler, where the error no longer keeps the memory alive
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if not short:
            if checkpoint:
                checkpoint.path.unlink(missing_ok=True)
            return [_alone(member, worker, reason) for member in part]
        half = (len(part) + 1) // 2
        return [*_train(part[:half], worker), *_train(part[half:], worker)]
    if checkpoint:
        results[-1].warnings = checkpoint.warnings
        if not any(result.measured.status.failed for result in results):
            results[-1].checkpoint = checkpoint.path
    return results


def _alone(run: Run, worker: Worker, reason: str) -> Result:
    """Train one run of a pack that failed, and say so with its result if the run does not fail."""
    (result,) = _train([run], worker)
    if not result.measured.status.failed:
        result.warnings.append(f"{run.method} on {run.task} trained alone, because its pack failed ({reason})")
    return result


def _is_out_of_memory(error: BaseException) -> bool:
    # A CPU says the first; MPS and allocations of CUDA that bypass torch's allocator say the second.
    messages = ("can't allocate memory", "out of memory")
    return _is(error, MemoryError, torch.OutOfMemoryError) or any(words in error_text(error) for words in messages)


def _is(error: BaseException, *kinds: type[BaseException]) -> bool:
    """Tell whether an error is of one of these kinds; `isinstance` asks its `__class__`, which may raise."""
    return issubclass(type(error), kinds)


def _largest(run: Run, worker: Worker) -> int:
    """Return how many runs like this one fit into the accelerator's free memory, as measured for one and for two."""
    device = worker.settings.device
    if not device.startswith("cuda"):
        return 1
    task, method = get_task(run.task), parse(run.method)
    taken = []
    try:
        worker.data(run.task, run.synthetic)  # the data take memory that the runs cannot have
        batch = task.synthetic_batches(1).to(device)
        for count in (1, 2):
            values, seeds = [run.value] * count, [run.seed + i for i in range(count)]
            results = train(task, method, values, seeds, 1, run.learning_rate, batch, run.precision)
            peak = results[0].measured.peak_memory_mb
            assert peak is not None  # it is measured on CUDA
            taken.append(peak)
    except KeyboardInterrupt:
        raise
    except BaseException:  # the run itself will raise it again and report it in its row
        return 1
    torch.cuda.empty_cache()  # torch's own reserve is free memory too
    free, resident = torch.cuda.mem_get_info(device)[0], torch.cuda.memory_allocated(device)
    return fitting(free / 2**20, *(peak - resident / 2**20 for peak in taken))


def fitting(free: float, one: float, two: float) -> int:
    """Return how many runs fit into `free` megabytes if one run takes `one` megabytes and two runs take `two`."""
    return max(1, int(((1 - SPARE) * free - one) / max(two - one, 1e-9)) + 1)
