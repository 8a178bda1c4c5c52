"""Random crops, flips and cut-outs of whole batches, computed on their device."""

from __future__ import annotations

from dataclasses import dataclass

from methods.core.lazy import torch


@dataclass(frozen=True)
class Augmentation:
    """Shift an image by up to `shift` pixels each way over black, mirror half of the images, and blank a square."""

    shift: int = 4
    flip: bool = True
    cutout: int = 0  # side of the square, in pixels

    def pad(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return normalized images [n, C, H, W] with a black border; black is the smallest value of a channel."""
        n, channels, height, width = inputs.shape
        black = inputs.amin((0, 2, 3)).view(1, channels, 1, 1)
        padded = black.expand(n, channels, height + 2 * self.shift, width + 2 * self.shift).clone()
        padded[:, :, self.shift : self.shift + height, self.shift : self.shift + width] = inputs
        return padded

    def draw(self, n: int, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Draw the augmentation of n images [C, H, W] for an epoch, [n, 5]: row, column, mirrored, square's centre."""
        _, height, width = shape
        highs = (2 * self.shift + 1, 2 * self.shift + 1, 1 + self.flip, height, width)
        return torch.stack([torch.randint(high, (n,), generator=generator) for high in highs], 1)

    def __call__(self, padded: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
        """Return the images [B, C, H, W] that the draws [B, 5] make of padded images."""
        top, left, mirrored, y, x = draws.T.unsqueeze(2)
        height, width = (size - 2 * self.shift for size in padded.shape[2:])
        rows, columns = (torch.arange(size, device=padded.device) for size in (height, width))
        from_rows = top + rows
        from_columns = left + torch.where(mirrored.bool(), width - 1 - columns, columns)
        image, channel = (torch.arange(size, device=padded.device) for size in padded.shape[:2])
        images = padded[
            image[:, None, None, None],
            channel[:, None, None],
            from_rows[:, None, :, None],
            from_columns[:, None, None, :],
        ]
        if self.cutout:
            offsets = (place - centre + self.cutout // 2 for centre, place in ((y, rows), (x, columns)))
            in_rows, in_columns = ((offset >= 0) & (offset < self.cutout) for offset in offsets)
            blank = in_rows.unsqueeze(2) & in_columns.unsqueeze(1)
            images = images.masked_fill(blank.unsqueeze(1), 0)
        return images
