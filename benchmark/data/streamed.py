"""Images read from their files as training asks for them, by timm's loader: for data sets that no device holds."""

from __future__ import annotations

import functools
import random
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.util import Finalize
from typing import Any

from methods.core.lazy import torch

Place = tuple[str, int]  # of an image: its path, and the number that its augmentation is drawn from
READERS = 0  # processes that read images for this one; what a worker of a sweep may have, its engine says


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
        part = max(1, len(numbers) // max(READERS, 1))  # so that every process has its share
        return torch.cat(list(self._read(False, ([(i, 0) for i in some.tolist()] for some in numbers.split(part)))))

    def split(self, size: int) -> Iterator[torch.Tensor]:
        """All images in order, `size` at a time."""
        numbers = range(len(self))
        return self._read(False, ([(i, 0) for i in numbers[start : start + size]] for start in numbers[::size]))

    def augmented(
        self, batches: list[list[torch.Tensor]], chances: list[torch.Generator]
    ) -> Iterator[tuple[torch.Tensor, ...]]:
        """Batches of an epoch as each of some seeds trains on them: cut at random and mirrored, by a draw an image.

        An image's augmentation depends on its draw alone, not on which process reads it or on what was read before.
        """
        draws = [torch.randint(2**63 - 1, (len(self),), generator=chance).tolist() for chance in chances]
        together = (
            [(i, drawn[i]) for batch, drawn in zip(of_seeds, draws, strict=True) for i in batch.tolist()]
            for of_seeds in zip(*batches, strict=True)
        )
        return (images.chunk(len(chances)) for images in self._read(True, together))

    def _read(self, augmented: bool, batches: Iterable[list[tuple[int, int]]]) -> Iterator[torch.Tensor]:
        places, loader = _loader(self.size, augmented, self.device, READERS)
        places[:] = [[(self.paths[i], draw) for i, draw in batch] for batch in batches]
        try:
            for images, _ in loader:
                yield images
        except OSError as error:  # the last line is what the process that reads said, the others where
            raise OSError(str(error).strip().splitlines()[-1]) from None
        except RuntimeError:
            _loader.cache_clear()  # a process died, and the next who reads is to have living ones
            raise


@functools.cache
def _loader(
    size: tuple[int, int, int], augmented: bool, device: str, readers: int
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
        num_workers=readers,
        multiprocessing_context="spawn" if readers else None,
        persistent_workers=readers > 0,
        worker_init_fn=_ignore_interrupts,
        collate_fn=fast_collate,
        generator=torch.Generator(),  # each pass over a loader draws, which is not to disturb dropout
        pin_memory=device.startswith("cuda"),
    )
    if readers:  # start them now, deaf from the first moment on, which a process inherits
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        iter(loader)
        signal.signal(signal.SIGINT, handler)
        Finalize(None, _loader.cache_clear, exitpriority=1)  # before those that are still there are waited for
    return places, PrefetchLoader(loader, device=torch.device(device))


def _ignore_interrupts(_: int) -> None:
    """Ctrl-C reaches all processes of a terminal; whoever trains saves where it is, and needs images until then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


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
