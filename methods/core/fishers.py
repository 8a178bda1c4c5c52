"""Two approximations of the empirical Fisher matrix, damping + mean g g^T over gradients g [N] of single examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from methods.core.lazy import torch
from methods.core.network import Layer

CHUNK = 64  # gradients that are multiplied at once
STEPS = 200  # the most steps of the conjugate gradients


class BlockFisher:
    """The blocks [K, B, B] of the matrix for B weights that follow one another in a layer; all else is zero."""

    def __init__(self, gradients: Iterable[torch.Tensor], layers: Sequence[Layer], damping: float, block: int):
        self.layers, self.block = layers, block
        total: torch.Tensor | float = 0.0
        count, chunk = 0, list[torch.Tensor]()
        for gradient in gradients:
            chunk.append(self.blocks(gradient))
            count += 1
            if len(chunk) == CHUNK:
                total, chunk = total + _products(chunk), []
        mean = (total + _products(chunk) if chunk else total) / count
        assert isinstance(mean, torch.Tensor)
        self.matrix = mean + damping * torch.eye(block).to(mean)

    def inverse_diagonal(self) -> torch.Tensor:
        """Return the diagonal [N] of the inverse."""
        return self.joined(_inverted(torch.linalg.inv, self.matrix).diagonal(dim1=1, dim2=2))

    def move(self, weights: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the change [N] of the kept weights that makes the quadratic least when the others become zero."""
        stays = self.blocks(mask.to(weights)).unsqueeze(2)
        lost = self.blocks(weights).unsqueeze(2) * (1 - stays)
        alone = torch.eye(self.block).to(weights) * (1 - stays)  # pruned weights solve equations of their own
        moves = _inverted(torch.linalg.solve, self.matrix * stays * stays.mT + alone, stays * (self.matrix @ lost))
        return self.joined(moves.squeeze(2))

    def blocks(self, values: torch.Tensor) -> torch.Tensor:
        """Return values [N] as blocks [K, B] of each layer; the last block of a layer ends with zeros."""
        pad = torch.nn.functional.pad
        parts = [pad(values[layer.span], (0, -layer.size % self.block)) for layer in self.layers]
        return torch.cat(parts).view(-1, self.block)

    def joined(self, blocks: torch.Tensor) -> torch.Tensor:
        """Return the values [N] of blocks [K, B]."""
        sizes = [layer.size + -layer.size % self.block for layer in self.layers]
        parts = blocks.flatten().split(sizes)
        return torch.cat([part[: layer.size] for part, layer in zip(parts, self.layers, strict=True)])


class KroneckerFisher:
    """A Kronecker product G x A for the weights W [O, I] of each layer, with G [O, O] and A [I, I].

    With V [O, I] the gradient on one example, G = mean V V^T / c and A = mean V^T V / c, where c^2 = mean ||V||^2, so
    that the trace is exact. One example of a linear layer has V = g a^T, for which it is the matrix itself. K-FAC
    (Martens & Grosse, ICML 2015) is mean g g^T x mean a a^T; here an example counts by the size of its other vector, so
    that layers of any kind have factors. Gradients that are not finite count as zero.
    """

    def __init__(self, gradients: Iterable[torch.Tensor], layers: Sequence[Layer], damping: float):
        self.layers = layers
        count, outer, inner = 0, list[torch.Tensor](), list[torch.Tensor]()
        for gradient in gradients:
            slopes = [_matrix(gradient[layer.span], layer) for layer in layers]
            if not count:
                outer = [slope.new_zeros(len(slope), len(slope)) for slope in slopes]
                inner = [slope.new_zeros(slope.shape[1], slope.shape[1]) for slope in slopes]
            for slope, left, right in zip(slopes, outer, inner, strict=True):
                left.addmm_(slope, slope.mT)
                right.addmm_(slope.mT, slope)
            count += 1
        self.parts = []  # the eigenvectors of G and A, and the eigenvalues [O, I] of G x A, for each layer
        for sums in zip(outer, inner, strict=True):
            left, right = (total.nan_to_num(0, 0, 0) for total in sums)
            scale = (left.trace() * count).sqrt().clamp(min=torch.finfo(left.dtype).tiny)
            (high, rows), (wide, columns) = torch.linalg.eigh(left / scale), torch.linalg.eigh(right / scale)
            self.parts.append((rows, columns, high.clamp(min=0).outer(wide.clamp(min=0)) + damping))

    def inverse_diagonal(self) -> torch.Tensor:
        """Return the diagonal [N] of the inverse."""
        inverses = [rows.square() @ values.reciprocal() @ columns.square().mT for rows, columns, values in self.parts]
        return torch.cat([_flat(inverse, layer) for inverse, layer in zip(inverses, self.layers, strict=True)])

    def move(self, weights: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the change [N] of the kept weights that makes the quadratic least when the others become zero."""
        moves = []
        for layer, (rows, columns, values) in zip(self.layers, self.parts, strict=True):
            stays, own = _matrix(mask[layer.span], layer), _matrix(weights[layer.span], layer)
            curved = partial(_curved, rows, columns, values, stays)
            moves.append(_flat(_solved(curved, curved(own.masked_fill(stays, 0))), layer))
        return torch.cat(moves)


def _inverted(function: Callable[..., torch.Tensor], matrix: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
    """Return `torch.linalg.inv` or `solve` of blocks [K, B, B].

    If the damping was lost in the rounding of a block's largest entries, so that the block is singular, all blocks get
    a damping of that size.
    """
    try:
        return function(matrix, *others)
    except torch.linalg.LinAlgError:
        size = matrix.diagonal(dim1=1, dim2=2).amax(1)
        rounding = size * torch.finfo(matrix.dtype).eps * matrix.shape[1]
        return function(matrix + rounding[:, None, None] * torch.eye(matrix.shape[1]).to(matrix), *others)


def _products(gradients: list[torch.Tensor]) -> torch.Tensor:
    """Return the sum of g g^T over gradients in blocks [K, B], block by block."""
    stacked = torch.stack(gradients, 1)  # [K, n, B]
    return stacked.mT @ stacked


def _matrix(values: torch.Tensor, layer: Layer) -> torch.Tensor:
    """Return values [n] of a layer as a matrix with a row for each output."""
    return values.view(layer.shape).movedim(layer.output_axis, 0).reshape(layer.shape[layer.output_axis], -1)


def _flat(matrix: torch.Tensor, layer: Layer) -> torch.Tensor:
    """Return the values [n] of a layer's matrix."""
    shape = [layer.shape[layer.output_axis], *layer.shape[: layer.output_axis], *layer.shape[layer.output_axis + 1 :]]
    return matrix.view(shape).movedim(0, layer.output_axis).flatten()


def _curved(
    rows: torch.Tensor, columns: torch.Tensor, values: torch.Tensor, stays: torch.Tensor, change: torch.Tensor
) -> torch.Tensor:
    """Return the entries that stay of a matrix with these eigenvectors and eigenvalues times a change."""
    return (rows @ (rows.mT @ change @ columns * values) @ columns.mT).masked_fill_(~stays, 0)


def _solved(curved: Callable[[torch.Tensor], torch.Tensor], right: torch.Tensor) -> torch.Tensor:
    """Return x with curved(x) = right by conjugate gradients, or the x of the last of STEPS steps.

    Steps end at the precision of the numbers; beyond it they would grow by rounding errors alone.
    """
    found, residual = torch.zeros_like(right), right.clone()
    direction, size = residual.clone(), residual.square().sum()
    least = size * torch.finfo(right.dtype).eps ** 2
    for _ in range(STEPS):
        if size <= least:
            break
        image = curved(direction)
        step = (size / (direction * image).sum()).nan_to_num(0, 0, 0)
        found += step * direction
        residual -= step * image
        before, size = size, residual.square().sum()
        direction = residual + (size / before).nan_to_num(0, 0, 0) * direction
    return found
