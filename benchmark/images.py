"""Images read from their files as training asks for them, by timm's loader: for data sets that no device holds."""

from __future__ import annotations

import functools
import multiprocessing
import os
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch

Place = tuple[str, int]  # of an image: its path, and the number that its augmentation is drawn from
MOST_PROCESSES = 8  # that read for one kind of loader


@dataclass(frozen=True)
class Images:
    """The images of files, cut to [3, H, W] and normalized; stands where a tensor [n, 3, H, W] of them would.

    Indexing and `split` read images as they are evaluated: resized, and cut from the middle.
    """

    paths: list[str]
    size: tuple[int, int, int]  # of one: channels, height, width
    device: str = "cpu"  # that images are brought to

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self.paths), *self.size

    def to(self, device: str | torch.device) -> Images:
        return replace(self, device=str(device))

    def __getitem__(self, chosen: slice | torch.Tensor) -> torch.Tensor:
        numbers = torch.arange(len(self))[chosen.cpu() if isinstance(chosen, torch.Tensor) else chosen]
        part = max(1, len(numbers) // (_processes() or 1))  # so that every process has its share
        return torch.cat(list(self._read(False, ([(i, 0) for i in some.tolist()] for some in numbers.split(part)))))

    def split(self, size: int) -> Iterator[torch.Tensor]:
        """All images in order, `size` at a time."""
        numbers = range(len(self))
        return self._read(False, ([(i, 0) for i in numbers[start : start + size]] for start in numbers[::size]))

    def augmented(self, batches: list[torch.Tensor], chance: torch.Generator) -> Iterator[torch.Tensor]:
        """Batches of an epoch as they are trained on: cut at random and mirrored, by a draw for each of all images.

        An image's augmentation depends on its draw alone, not on which process reads it or on what was read before.
        """
        draws = torch.randint(2**63 - 1, (len(self),), generator=chance).tolist()
        return self._read(True, ([(i, draws[i]) for i in batch.tolist()] for batch in batches))

    def _read(self, augmented: bool, batches: Iterable[list[tuple[int, int]]]) -> Iterator[torch.Tensor]:
        places, loader = _loader(self.size, augmented, self.device, _processes())
        places[:] = [[(self.paths[i], draw) for i, draw in batch] for batch in batches]
        try:
            for images, _ in loader:
                yield images
        except OSError as error:  # the last line is what the process that reads said, the others where
            raise OSError(str(error).strip().splitlines()[-1]) from None


def _processes() -> int:
    """That read images; none in a worker of a sweep, which may have no processes of its own."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 0 if multiprocessing.current_process().daemon else min(available, MOST_PROCESSES)


@functools.cache
def _loader(
    size: tuple[int, int, int], augmented: bool, device: str, processes: int
) -> tuple[list[list[Place]], Iterable[tuple[torch.Tensor, torch.Tensor]]]:
    """The batches to read next, to be filled in, and timm's loader of them, whose processes live as long as ours."""
    from timm.data import create_transform
    from timm.data.loader import PrefetchLoader, fast_collate

    transform = create_transform(size, is_training=augmented, color_jitter=0.0, use_prefetcher=True)
    places: list[list[Place]] = []
    files: Any = _Files(transform)
    loader = torch.utils.data.DataLoader(
        files,
        batch_sampler=places,
        num_workers=processes,
        multiprocessing_context="spawn" if processes else None,
        persistent_workers=processes > 0,
        collate_fn=fast_collate,
        generator=torch.Generator(),  # each pass over a loader draws, which is not to disturb dropout
        pin_memory=device.startswith("cuda"),
    )
    return places, PrefetchLoader(loader, device=torch.device(device))


class _Files:
    """An image for a place, and a label that nobody reads."""

    def __init__(self, transform: Any):
        self.transform = transform

    def __getitem__(self, place: Place) -> tuple[Any, int]:
        from torchvision.datasets.folder import pil_loader

        path, draw = place
        try:
            image = pil_loader(path)
        except OSError as error:
            raise OSError(f"{path} cannot be read as an image ({error})") from None
        state = random.getstate()
        with torch.random.fork_rng(devices=[]):
            random.seed(draw)
            torch.default_generator.manual_seed(draw)
            transformed = self.transform(image)
        random.setstate(state)
        return transformed, 0
