"""The layouts of a tensor in a file: dense, a bitmask with the nonzero values, or compressed sparse rows."""

from __future__ import annotations

import math

import numpy
import torch

Parts = dict[str, torch.Tensor]  # the tensors that a layout stores, by their role

PARTS = {"bitmask": ("bits", "values"), "csr": ("counts", "columns", "values")}
HEADER = 250  # bytes by which the header of a file grows for a sparse tensor, about


def smallest(tensor: torch.Tensor) -> tuple[str, Parts]:
    """Return the name and the parts of the layout that takes the fewest bytes; the parts own their memory.

    `bitmask` has one bit for each entry and the nonzero values. `csr` has the number of nonzeros in each row, the
    column of each, and the values; rows lie along the first axis. Numbers have the smallest type that holds them all.
    """
    tensor = tensor.detach().cpu()
    dense = {"": tensor.clone(memory_format=torch.contiguous_format)}
    if not tensor.numel() or not tensor.dim() or not tensor.is_floating_point():
        return "dense", dense
    kept = tensor != 0
    rows = kept.reshape(len(tensor), -1) if tensor.dim() > 1 else kept[None]
    size, (height, width) = _integer(rows.shape[1]).itemsize, rows.shape
    nonzeros = int(kept.sum())
    values = nonzeros * tensor.itemsize
    sizes = {
        "dense": tensor.numel() * tensor.itemsize,
        "bitmask": HEADER + -(-tensor.numel() // 8) + values,
        "csr": HEADER + (height + nonzeros) * size + values,
    }
    best = min(sizes, key=lambda name: sizes[name])
    if best == "dense":
        return best, dense
    if best == "bitmask":
        return best, {"bits": torch.from_numpy(numpy.packbits(kept.numpy().ravel())), "values": tensor[kept]}
    kind = _integer(width)
    return best, {"counts": rows.sum(1).to(kind), "columns": rows.nonzero()[:, 1].to(kind), "values": tensor[kept]}


def rebuilt(layout: str, parts: Parts, shape: list[int]) -> torch.Tensor:
    """Return the dense tensor of a shape; raise LookupError, RuntimeError or ValueError if the parts do not fit it."""
    values, entries = parts["values"], math.prod(shape)
    if layout == "bitmask":
        bits = numpy.unpackbits(parts["bits"].numpy(), count=entries)
        places = torch.from_numpy(bits).nonzero().flatten()
    else:
        counts, width = parts["counts"].long(), entries // max(len(parts["counts"]), 1)
        places = torch.arange(len(counts)).repeat_interleave(counts) * width + parts["columns"].long()
    flat = values.new_zeros(entries)
    if len(places) != len(values):
        raise ValueError(f"{len(values)} values for {len(places)} places")
    flat[places] = values
    return flat.view(shape)


def _integer(largest: int) -> torch.dtype:
    """Return the smallest integer type that holds `largest`."""
    return torch.uint8 if largest < 2**8 else torch.int16 if largest < 2**15 else torch.int32
