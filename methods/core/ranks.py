"""Agreement of the ranks of torch.distributed, which train copies of one model on data of their own."""

from __future__ import annotations

from methods.core.lazy import torch


def ranks() -> int:
    """Return the number of ranks that train together, which is 1 if torch.distributed is not initialized."""
    distributed = torch.distributed
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def mean_over_ranks(scores: torch.Tensor) -> torch.Tensor:
    """Return the mean of the ranks' scores, which has the same bits on every rank; all ranks must call it."""
    if ranks() == 1:
        return scores
    mean = scores.detach().clone(memory_format=torch.contiguous_format)
    torch.distributed.all_reduce(mean)
    return mean / ranks()


def as_first_rank(*tensors: torch.Tensor) -> None:
    """Overwrite contiguous tensors with those of the first rank, as DistributedDataParallel does when it starts."""
    if ranks() > 1:
        for tensor in tensors:
            torch.distributed.broadcast(tensor, 0)
