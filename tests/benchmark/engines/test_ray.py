"""The Ray engine: a cluster that loses nodes writes the same rows as this machine."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmark.engines.dispatch import places
from benchmark.engines.settings import Settings
from benchmark.errors import UsageError
from benchmark.records.table import read
from tests.builders import TIMES

PLUGIN = """
from pathlib import Path
import ray
from benchmark.training import checkpoint

initialize = checkpoint.Checkpoint.__init__
checkpoint.Checkpoint.__init__ = lambda self, folder, keys: initialize(self, folder, keys, every=0.1)
original = checkpoint.Checkpoint.load

def told(self):
    saved = original(self)
    if saved and ray.is_initialized():
        with Path(__file__).with_name(self.path.stem + ".resumed").open("a") as file:
            file.write(ray.get_runtime_context().get_node_id() + "\\n")
    return saved

checkpoint.Checkpoint.load = told
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Start a cluster on this machine: a head that computes nothing and two nodes of one core."""
    with pytest.MonkeyPatch.context() as environment, warnings.catch_warnings():
        environment.setenv("RAY_worker_niceness", "0")  # by default its workers give way to all else on the machine
        warnings.simplefilter("ignore")
        from ray.cluster_utils import Cluster

        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        made.add_node(num_cpus=1)
        made.add_node(num_cpus=1)
        yield made
        made.shutdown()


def command(plugin: Path, results: Path, *options: str) -> list[str]:
    return [
        sys.executable, "-m", "benchmark", "run", "quickstart", "--seeds", "0", "--methods", "dwf,rigl",
        "--values", "density=0.1,0.05", "--values", "strength=4,6", "--epochs", "60", "--plugin", str(plugin),
        "--results", str(results), *options,
    ]  # fmt: skip


def rows(results: Path) -> dict[str, dict[str, str]]:
    timed = {*TIMES, "finished_at", "threads"}
    found = read(results / "quickstart" / "runs.csv")
    assert len({row["key"] for row in found}) == len(found)
    return {row["key"]: {k: v for k, v in row.items() if k not in timed} for row in found}


def start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_for_training(results: Path, process: subprocess.Popen[str]) -> None:
    """Wait until the checkpoints of two packs have been written."""
    while len(list(results.glob("quickstart/checkpoints/*.pt"))) < 2:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)


def test_every_run_has_one_row_after_a_lost_node_and_a_stopped_sweep(cluster: Any, tmp_path: Path) -> None:
    plugin = tmp_path / "often.py"
    plugin.write_text(PLUGIN)
    here, there = tmp_path / "here", tmp_path / "there"
    on_ray = command(plugin, there, "--engine", "ray", "--address", cluster.address)

    with start(on_ray) as process:
        wait_for_training(there, process)
        process.send_signal(signal.SIGINT)
        told = process.communicate()[1]
    assert process.returncode == 130 and "the same command goes on" in told and "Traceback" not in told

    with start(on_ray) as process:
        wait_for_training(there, process)
        while len(list(tmp_path.glob("*.resumed"))) < 2:
            assert process.poll() is None
            time.sleep(0.05)
        cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
        process.communicate()
    assert process.returncode == 0
    assert not (there / "quickstart" / "checkpoints").exists()
    nodes = [set(path.read_text().split()) for path in tmp_path.glob("*.resumed")]
    assert max(map(len, nodes)) == 2  # what the lost node was at went on on the other
    subprocess.run(command(plugin, here, "--workers", "2"), check=True, stdout=subprocess.DEVNULL)
    assert rows(there) == rows(here) and len(rows(here)) == 4


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere"])
def test_an_address_without_a_cluster_is_an_error(address: str, tmp_path: Path) -> None:
    settings = Settings("cpu", tmp_path, engine="ray", address=address)
    with warnings.catch_warnings(), pytest.raises(UsageError, match=f"no Ray cluster answers at {address}"):
        warnings.simplefilter("ignore")
        places(settings, None)
