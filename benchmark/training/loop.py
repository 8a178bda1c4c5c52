"""The training loop, one for every method: R runs of one task and method that differ in value and seed alone."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from typing import Any

import torch

from benchmark.data.batches import Batches
from benchmark.data.split import Data
from benchmark.records.schema import Measurement
from benchmark.tasks.task import Task
from benchmark.training.checkpoint import Checkpoint
from benchmark.training.devices import hardware, peak_memory_mb, reset_peak_memory, rng_state, set_rng_state
from benchmark.training.evaluation import cross_entropy
from benchmark.training.measure import Cut, Result, autocast, epoch_points, measure, measure_cuts
from benchmark.training.probe import Probe
from benchmark.training.schedule import schedule
from methods.core.base import Method
from methods.core.network import Network


def train(
    task: Task,
    method: Method,
    values: list[float],
    seeds: list[int],
    epochs: int,
    peak_lr: float,
    data: Data,
    precision: str,
    checkpoint: Checkpoint | None = None,
    timeout: float = math.inf,
    stop: threading.Event | None = None,
) -> list[Result]:
    """Train R runs, each a value and a seed, on `data`, which is on its device, and measure each final, plain network.

    The budget is `epochs`, of which a method takes as much as its phases say: all take one but those that say so.

    With one seed every method starts from the same weights and sees the same batches. A run whose loss is no longer
    finite ends as `diverged`; when all have, no more steps are spent.

    Where there is a checkpoint, training goes on from it, and saves to it on its clock and when it is cut short. Raises
    TimeoutError after `timeout` seconds of training, and KeyboardInterrupt once `stop` is set.
    """
    examples, device = len(data.train[1]), data.train[1].device
    batch_size = min(task.batch_size, examples)
    steps_per_epoch = examples // batch_size
    rates = schedule(method.phases, epochs * steps_per_epoch, peak_lr, task.warmup)
    phase_starts = [sum(map(len, rates[:phase])) for phase in range(len(rates))]  # a phase may be too short for a step
    learning_rates = [rate for phase in rates for rate in phase]
    epochs = len(learning_rates) // steps_per_epoch

    reset_peak_memory(device)
    with torch.random.fork_rng(devices=[]):
        net = Network([_model(task, seed).to(device) for seed in seeds])
        batches = Batches(data.train, task.augmentation, batch_size, seeds)
        net.other_state = task.optimizer.state(net.other_params)
        lr, other_lr = net.weights.new_zeros(()), net.weights.new_zeros(())
        other_share = task.other_lr(peak_lr) / peak_lr
        steps_done = [0] * net.runs
        cuts: list[list[Cut]] = [[] for _ in values]
        finite = [True] * net.runs
        total = torch.zeros(net.runs, device=device)
        step = 0
        begun = time.perf_counter()
        method.bind(
            net, values, task.optimizer, task.weight_decay, Probe(net, data.train, batch_size, seeds, learning_rates)
        )
        seconds = preparation = time.perf_counter() - begun
        if saved := checkpoint.load() if checkpoint else None:
            for tensor, value in zip(_tensors(net, total), saved["tensors"], strict=True):
                tensor.copy_(value)
            method.load_state_dict(saved["method"])
            step, seconds, preparation, steps_done, finite, curves = saved["progress"]
            batches.load_state_dict(saved["batches"])
            if device.type in saved["noise"]:  # on another kind of device the draws are others anyway
                set_rng_state(device, saved["noise"][device.type])
        else:
            curves = epoch_points(0, net, method, data, precision, {"rate_share": [0.0] * net.runs})
        for epoch in range(step // steps_per_epoch + 1, epochs + 1):
            begun = time.perf_counter()
            streams = {"batches": batches.state_dict()}
            net.model.train()
            for x, y in batches.epoch(done=step % steps_per_epoch):
                spent = seconds + time.perf_counter() - begun
                stopped = stop is not None and stop.is_set()
                stopping = stopped or spent > timeout
                if checkpoint and (stopping or checkpoint.due()):
                    progress = step, spent, preparation, steps_done, finite, curves
                    state: dict[str, Any] = {"tensors": _tensors(net, total), "method": method.state_dict()}
                    noise = {device.type: rng_state(device)}
                    checkpoint.save(state | streams | {"progress": progress, "noise": noise})
                if stopping:
                    raise KeyboardInterrupt if stopped else TimeoutError(f"not done after {timeout:g} s")
                for phase in (phase for phase, start in enumerate(phase_starts) if start == step):
                    method.on_phase_start(phase)
                net.zero_grad()
                with autocast(precision, device):
                    logits = net.forward(x, batches.per_run)
                loss = cross_entropy(logits, y).mean(1)
                loss.sum().backward()
                total += loss.detach()
                lr.fill_(learning_rates[step])
                method.update(lr)
                other_lr.fill_(other_share * learning_rates[step])
                task.optimizer.step(net.other_params, net.other_grad, net.other_state, other_lr)
                step += 1
            if epoch == epochs:
                for phase in (phase for phase, start in enumerate(phase_starts) if start >= step):
                    method.on_phase_start(phase)
                if method.penalty is not None:
                    cuts = measure_cuts(net, data, precision)
                method.finish()
            losses = (total / steps_per_epoch).tolist()  # the one synchronisation of an epoch
            total.zero_()
            seconds += time.perf_counter() - begun
            steps_done = [step if ok else done for ok, done in zip(finite, steps_done, strict=True)]
            finite = [ok and math.isfinite(loss) for ok, loss in zip(finite, losses, strict=True)]
            if not any(finite):
                break
            share = sum(learning_rates[:step]) / sum(learning_rates)
            known = {"train_loss": losses, "rate_share": [share] * net.runs}
            points = epoch_points(epoch, net, method, data, precision, known)
            curves = [curve + new if ok else curve for curve, new, ok in zip(curves, points, finite, strict=True)]
        shared = Measurement(
            pack=net.runs,
            train_seconds=seconds / net.runs,
            step_ms=1000 * (seconds - preparation) / step,
            peak_memory_mb=peak_memory_mb(device),
            batch_size=batch_size,
            device=device.type,
            hardware=hardware(device),
            threads=torch.get_num_threads(),
            torch=str(torch.__version__),
        )
        return [
            measure(
                net, method, run, data, precision, ok, curves[run], cuts[run], replace(shared, steps=steps_done[run])
            )
            for run, ok in enumerate(finite)
        ]


def _model(task: Task, seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    return task.model()


def _tensors(net: Network, total: torch.Tensor) -> list[torch.Tensor]:
    """What changes from step to step beside the method's own state; written in place."""
    return [net.weights, net.other_params, *net.buffers(), *net.other_state.values(), total]
