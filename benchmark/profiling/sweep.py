"""Benchmark of a sweep without its training: a folder of many rows, and feeding workers."""

from __future__ import annotations

import argparse
import importlib.util
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark.engines.dispatch import places, run_all
from benchmark.engines.packs import make_packs
from benchmark.engines.settings import Settings
from benchmark.experiments.run import Run
from benchmark.profiling.rows import bench_rows
from benchmark.profiling.timing import show

SLEEPER = '''
import time
from dataclasses import dataclass
from methods import Method, register

@register("sleeper", knob="penalty")
@dataclass
class Sleeper(Method):
    """Sleep for as many seconds as the value says."""
    def setup(self, net, probe):
        super().setup(net, probe)
        time.sleep(float(self.value[0]))
'''


def pace(runs: list[Run], settings: Settings, workers: int) -> float:
    """Return the mean seconds between two finished runs, without each worker's first run, which includes its start."""
    packs = make_packs(runs, settings, workers)
    ends = [time.perf_counter() for _ in run_all(packs, settings, places(settings, workers))]
    return (ends[-1] - ends[workers - 1]) / (len(ends) - workers)


def bench_feeding(length: float, folder: Path) -> None:
    """Print the seconds that each engine adds to a run that sleeps, and how much faster two workers train than one."""
    (folder / "sleeper.py").write_text(SLEEPER)
    local = Settings("cpu", folder, (folder / "sleeper.py",))
    asleep = [Run("lenet300-digits", "sleeper", length, seed, 1, 0.1, synthetic=True) for seed in range(6)]
    awake = [replace(run, value=0.0) for run in asleep]
    itself = pace(awake, local, 1)
    rows = []
    for engine in ("local", "ray") if importlib.util.find_spec("ray") else ("local",):
        added = 2 * pace(asleep, replace(local, engine=engine), 2) - itself - length
        rows.append([engine, f"{added:.3f}", f"{100 * added / (length + itself):.1f} %"])
    title = f"runs of {length + itself:.1f} s, two at a time; aims 2 % local, 5 % Ray"
    show(title, ["engine", "seconds added to a run", "share"], rows)
    training = [replace(run, method="dense", value=1.0, epochs=40) for run in asleep]
    one, two = (pace(training, local, workers) for workers in (1, 2))
    show("training by processes of one thread; aim 1.8", ["two workers, times one"], [[f"{one / two:.2f}"]])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        bench_rows(arguments.rows, Path(folder), arguments.epochs)
        bench_feeding(arguments.seconds, Path(folder))
