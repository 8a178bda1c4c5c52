"""The Ray engine: a cluster that loses nodes writes the same rows as this machine."""

from __future__ import annotations

import os
import signal
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
from tests.processes import ended, number_of, started, wait_for, waiting

PLUGIN = """
import ray
from benchmark.training import checkpoint

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


def rows(results: Path) -> dict[str, dict[str, str]]:
    timed = {*TIMES, "finished_at", "threads"}
    found = read(results / "quickstart-smoke" / "runs.csv")
    assert len({row["key"] for row in found}) == len(found)
    return {row["key"]: {k: v for k, v in row.items() if k not in timed} for row in found}


@pytest.mark.slow
def test_every_run_has_one_row_after_a_lost_node_and_a_stopped_sweep(cluster: Any, tmp_path: Path) -> None:
    plugin = waiting(tmp_path, 0.2, 0.1, step=8)
    plugin.write_text(plugin.read_text() + PLUGIN)
    here, there = tmp_path / "here", tmp_path / "there"
    begun = [tmp_path / f"{value}.begun" for value in (0.2, 0.1)]
    command = [
        "run", "quickstart", "--tier", "smoke", "--methods", "waiting", "--values", "0.2,0.1,0.05",
        "--plugin", str(plugin), "--results",
    ]  # fmt: skip
    on_ray = [*command, str(there), "--engine", "ray", "--address", cluster.address]

    def training() -> bool:
        return all(path.exists() for path in begun)

    with started(*on_ray, output=tmp_path / "told") as process:
        wait_for(training, process)
        os.kill(number_of(process), signal.SIGTERM)  # as Ctrl-C, which other tests send; Ray has a handler of its own
        process.join()
    told = (tmp_path / "told").read_text()
    assert process.exitcode == 130 and "the same command goes on" in told and "Traceback" not in told
    assert len(list(there.glob("quickstart-smoke/checkpoints/*.pt"))) == 2

    for path in begun:
        path.unlink()
    with started(*on_ray, output=tmp_path / "told") as process:
        wait_for(training, process)
        cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
        (tmp_path / "go").touch()
        process.join()
    assert process.exitcode == 0
    assert not (there / "quickstart-smoke" / "checkpoints").exists()
    nodes = [set(path.read_text().split()) for path in tmp_path.glob("*.resumed")]
    assert sorted(map(len, nodes)) == [1, 2]  # the run of the lost node was continued on the other
    assert ended(*command, str(here), "--workers", "1", output=tmp_path / "told")[0] == 0
    assert rows(there) == rows(here) and len(rows(here)) == 3


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere"])
def test_an_address_without_a_cluster_is_an_error(address: str, tmp_path: Path) -> None:
    settings = Settings("cpu", tmp_path, engine="ray", address=address)
    with warnings.catch_warnings(), pytest.raises(UsageError, match=f"no Ray cluster answers at {address}"):
        warnings.simplefilter("ignore")
        places(settings, None)
