"""The training loop for all methods."""

from __future__ import annotations

import copy
import math
import threading
import time
from dataclasses import replace

import torch

from benchmark.data.batches import Batches
from benchmark.data.objective import Objective
from benchmark.data.split import Data
from benchmark.records.schema import Measurement
from benchmark.tasks.task import Task
from benchmark.training.batch_norm import recompute_statistics
from benchmark.training.checkpoint import Checkpoint
from benchmark.training.devices import cpu_capability, hardware, peak_memory_mb, reset_peak_memory
from benchmark.training.evaluation import CLASSIFICATION, autocast
from benchmark.training.measure import Result, epoch_points, measure
from benchmark.training.modes import train_mode
from benchmark.training.probe import Probe
from benchmark.training.schedule import by_step, schedules
from benchmark.training.state import Progress, resume, snapshot
from benchmark.training.uncut import Uncut, measure_uncut
from methods.core.base import Method
from methods.core.driver import Driver, shared_phases
from methods.core.network import Network


class OutOfTime(Exception):
    """Training took longer than it may."""


def train(
    task: Task,
    method: Method,
    values: list[float],
    seeds: list[int],
    epochs: int,
    peak_lr: float | list[float],
    data: Data,
    precision: str,
    checkpoint: Checkpoint | None = None,
    timeout: float = math.inf,
    stop: threading.Event | None = None,
    keep_networks: bool = False,
) -> list[Result]:
    """Train R runs of one task and method, each with its value and seed, and measure their final networks.

    `peak_lr` is the peak of the learning rate, one for all runs or one for each. `epochs` is one budget; a run trains
    for `sum(method.phases_at(value))` budgets, which is 1 except for some methods, such as iterative pruning, and the
    same for all runs of a pack. If values act at the end alone, runs of one seed and learning rate share their
    training, and each is cut from a copy. Runs of one seed have the same initial weights and batches with every method.
    A run whose loss is no longer finite ends as `diverged`; training ends early when all runs have. With
    `keep_networks` the results have the final networks.

    Training resumes from the checkpoint if it has a state, and saves to it regularly and when it is interrupted. Raises
    OutOfTime after `timeout` seconds of training, and KeyboardInterrupt after `stop` is set.
    """
    device = data.train[1].device
    batch_size = min(task.batch_size, len(data.train[1]))
    steps_per_epoch = len(data.train[1]) // batch_size
    budget = epochs * steps_per_epoch
    phases = shared_phases(method, values)
    starts = list(zip(seeds, peak_lr if isinstance(peak_lr, list) else [peak_lr] * len(seeds), strict=True))
    trained = list(dict.fromkeys(starts)) if method.cuts_at_end else starts
    places = [trained.index(start) for start in starts] if method.cuts_at_end else list(range(len(starts)))
    trained_seeds, peaks = [seed for seed, _ in trained], [peak for _, peak in trained]
    learning_rates = schedules(phases, budget, peaks, task.warmup)
    other_shares = torch.tensor([[task.other_lr(peak) / peak] for peak in peaks], dtype=torch.float64)
    lrs, other_lrs = (by_step(rates, device) for rates in (learning_rates, other_shares * learning_rates))
    epochs = len(lrs) // steps_per_epoch

    reset_peak_memory(device)
    with torch.random.fork_rng(devices=[]):
        net = Network([initial_model(task, seed).to(device) for seed in trained_seeds])
        train_mode(net.model)
        batches = Batches(data.train, task.augmentation, batch_size, trained_seeds)

        def driven(values: list[float], trained: list[int]) -> Driver:
            seeds, rates = [trained_seeds[place] for place in trained], learning_rates[trained]
            probe = Probe(net, data.train, batch_size, seeds, rates, task.objective)
            return Driver(net, method, values, task.optimizer, task.weight_decay, probe, budget)

        begun = time.perf_counter()
        driver = driven([values[places.index(place)] for place in range(net.runs)], list(range(net.runs)))
        setup_seconds = time.perf_counter() - begun
        if checkpoint and (saved := checkpoint.load()):
            try:
                progress = resume(saved, driver, batches)
            except Exception:
                checkpoint.put_aside("does not fit the method as it is now")
                raise
        else:
            start, zeros = [0] * net.runs, torch.zeros(net.runs, device=device)
            curves = epoch_points(0, net, method, data, task.objective, precision, {"rate_share": [0.0] * net.runs})
            progress = Progress(setup_seconds, setup_seconds, start, [True] * net.runs, curves, zeros)
        uncut = [Uncut() for _ in values]
        recomputed = [False] * net.runs
        for epoch in range(driver.steps_done // steps_per_epoch + 1, epochs + 1):
            begun = time.perf_counter()
            streams = batches.state_dict()
            train_mode(net.model)
            for x, y in batches.epoch(done=driver.steps_done % steps_per_epoch):
                spent = progress.seconds + time.perf_counter() - begun
                stopped = stop is not None and stop.is_set()
                stopping = stopped or spent > timeout
                if checkpoint and (stopping or checkpoint.due()):
                    checkpoint.save(snapshot(replace(progress, seconds=spent), driver, streams))
                if stopping:
                    raise KeyboardInterrupt if stopped else OutOfTime(f"not done after {timeout:g} s")
                moment = time.perf_counter()
                driver.start_phases()
                progress.setup_seconds += time.perf_counter() - moment
                progress.loss_sum += backward(net, x, y, batches.per_run, precision, task.objective)
                driver.step(lrs[driver.steps_done], other_lrs[driver.steps_done])
            if epoch == epochs:
                moment = time.perf_counter()
                if net.runs < len(values):
                    net, steps_done = branched(net, places), driver.steps_done
                    driver = driven(values, places)
                    driver.steps_done = steps_done
                    progress.branch(places)
                before_cut = net.weights.clone()
                driver.start_late_phases()
                if method.penalty is not None:
                    paused = -time.perf_counter()
                    uncut = measure_uncut(net, method, task.objective, data, batches, precision)
                    paused += time.perf_counter()  # evaluation is no training
                    begun, moment = begun + paused, moment + paused
                driver.finish()
                recomputed = recompute_statistics(net, before_cut, batches, precision)
                progress.setup_seconds += time.perf_counter() - moment
            losses = progress.end_epoch(driver.steps_done, steps_per_epoch)
            progress.seconds += time.perf_counter() - begun
            if not any(progress.finite):
                break
            share = float(learning_rates[0, : driver.steps_done].sum() / learning_rates[0].sum())
            known = {"train_loss": losses, "rate_share": [share] * net.runs}
            progress.add(epoch_points(epoch, net, method, data, task.objective, precision, known))
        if net.runs < len(values):  # training ended early
            net = branched(net, places)
            progress.branch(places)
        shared = replace(_shared(progress, driver, device, len(values)), batch_size=batch_size)
        results = []
        for run, finite in enumerate(progress.finite):
            measured = replace(shared, steps=progress.steps[run], batch_norm_recomputed=recomputed[run])
            curve = progress.curves[run]
            results.append(
                measure(net, method, run, task, data, precision, finite, curve, uncut[run], measured, keep_networks)
            )
        return results


def initial_model(task: Task, seed: int) -> torch.nn.Module:
    """Return the network of a task with the initial weights of a seed."""
    torch.manual_seed(seed)
    return task.model()


def backward(
    net: Network,
    x: torch.Tensor,
    y: torch.Tensor,
    per_run: bool,
    precision: str,
    objective: Objective = CLASSIFICATION,
) -> torch.Tensor:
    """Compute the gradients of one batch, and return the loss [R]."""
    net.zero_grad()
    with autocast(precision, x.device):
        outputs = net.forward(x, per_run)
    loss = objective.losses(outputs, y).mean(1)
    loss.sum().backward()
    return loss.detach()


def branched(net: Network, places: list[int]) -> Network:
    """Return a network with a run for each place, which is a copy of the run there."""
    return Network([copy.deepcopy(net.plain(place)) for place in places])


def _shared(progress: Progress, driver: Driver, device: torch.device, runs: int) -> Measurement:
    """Return the measurements that all runs of a pack share."""
    return Measurement(
        pack=runs,
        train_seconds=progress.seconds / runs,
        step_ms=1000 * (progress.seconds - progress.setup_seconds) / driver.steps_done,
        peak_memory_mb=peak_memory_mb(device),
        device=device.type,
        hardware=hardware(device),
        cpu_capability=cpu_capability(device),
        threads=torch.get_num_threads(),
        torch=str(torch.__version__),
    )
