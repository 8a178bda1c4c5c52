"""Two processes that train one model on data of their own agree on every mask."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

from methods import SparseOptimizer
from tests.builders import mlp

STEPS = 6
MASKS = ["snip[iterations=2]", "grasp", "synflow", "random", "set", "rigl", "imp"]
FORMS = [*MASKS, "magnitude", "control[mask=snip]", "dwf[init=truncated]"]


def worker(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    store = torch.distributed.FileStore(f"{folder}/store", 2)
    torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
    x = torch.randn(32, 1, 4, 4, generator=torch.Generator().manual_seed(rank))
    trained = {}
    for form in FORMS:
        for wrapped in ("before", "after", "views"):
            model: torch.nn.Module = mlp(seed=rank)  # the ranks start alike although they drew other weights
            whole = DistributedDataParallel(model) if wrapped == "before" else None
            value = {"strength": 0.1} if form.startswith("dwf") else {"density": 0.25}
            optimizer = SparseOptimizer(
                whole or model, form, steps=STEPS, lr=0.1, seed=rank, probe=lambda m=whole or model: loss(m, x), **value
            )
            whole = whole or DistributedDataParallel(model, gradient_as_bucket_view=wrapped == "views")
            for _ in range(STEPS):
                optimizer.zero_grad()
                loss(whole, x).backward()
                optimizer.step()
            optimizer.finish()
            trained[f"{form}, wrapped {wrapped}"] = torch.cat([p.detach().flatten() for p in model.parameters()])
    torch.save(trained, f"{folder}/{rank}.pt")
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def loss(model: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    return cross_entropy(model(x), torch.arange(32) % 4)


def test_ranks_agree_on_masks_whatever_their_data_and_seeds_are(tmp_path: Path) -> None:
    torch.multiprocessing.start_processes(worker, (str(tmp_path),), nprocs=2, start_method="forkserver")
    one, two = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert [name for name in one if not torch.equal(one[name], two[name])] == []
    assert len(one) == 3 * len(FORMS)
    for form in MASKS:  # 16 biases are left besides the weights
        assert int(one[f"{form}, wrapped after"].count_nonzero()) <= 60 + 16
