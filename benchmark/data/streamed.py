"""Images that timm's loader reads from files while training runs, for data sets that do not fit into memory."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.util import Finalize
from typing import Any

from benchmark.data.augmentation import Augmentation
from benchmark.data.image_files import read_image
from benchmark.data.inputs import BatchReader
from methods.core.lazy import torch

Item = tuple[str, int]  # the path of an image, and the seed of its augmentation
Size = tuple[int, int, int]  # channels, height and width of an image


class ImageReaders:
    """The processes that read images for this process. They start when they are first needed and end with `close`.

    With no processes, images are read in this one.
    """

    def __init__(self, processes: int = 0):
        self.processes = processes
        self._readers: dict[tuple[Size, bool, str], _ImageReader] = {}
        # At exit, end them before Python waits for them.
        self._finalizer = Finalize(self, self._readers.clear, exitpriority=1)

    def read(self, batches: Iterable[list[Item]], size: Size, augmented: bool, device: str) -> Iterator[torch.Tensor]:
        """Yield batches of images on the device."""
        key = size, augmented, device
        if key not in self._readers:
            self._readers[key] = _ImageReader(*key, self.processes)
        try:
            yield from self._readers[key].read(batches)
        except RuntimeError:
            self._readers.pop(key, None)  # a process died; the next call starts new ones
            raise

    def close(self) -> None:
        """End the processes."""
        self._readers.clear()


@dataclass(frozen=True)
class Images:
    """The images of files as inputs [n, 3, H, W], resized, cropped and normalized as timm does.

    A pickled copy holds the paths alone, and reads images in the process that loads it.
    """

    paths: list[str]
    size: Size
    device: str = "cpu"  # the device that images are moved to
    readers: ImageReaders = field(default_factory=ImageReaders, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self.paths), *self.size

    def to(self, device: str, readers: ImageReaders | None = None) -> Images:
        return replace(self, device=str(device), readers=readers or self.readers)

    def __getitem__(self, chosen: slice | torch.Tensor) -> torch.Tensor:
        indices = torch.arange(len(self))[chosen.cpu() if isinstance(chosen, torch.Tensor) else chosen]
        part = max(1, len(indices) // max(self.readers.processes, 1))  # an equal part for each process
        return torch.cat(list(self._read(False, ([(i, 0) for i in some.tolist()] for some in indices.split(part)))))

    def split(self, size: int) -> Iterator[torch.Tensor]:
        indices = range(len(self))
        return self._read(False, ([(i, 0) for i in indices[start : start + size]] for start in indices[::size]))

    def batch_reader(self, augmentation: Augmentation | None) -> BatchReader:
        """Return a function that yields batches of images, cropped at random and mirrored by a draw for each image.

        An image's augmentation depends on its draw alone, not on the process that reads it. These crops take the place
        of `augmentation`.
        """
        return self._training_batches

    def _training_batches(
        self, batches: list[list[torch.Tensor]], generators: list[torch.Generator]
    ) -> Iterator[Sequence[torch.Tensor]]:
        draws = [torch.randint(2**63 - 1, (len(self),), generator=one).tolist() for one in generators]
        together = (
            [(i, drawn[i]) for batch, drawn in zip(seeds, draws, strict=True) for i in batch.tolist()]
            for seeds in zip(*batches, strict=True)
        )
        return (images.chunk(len(generators)) for images in self._read(True, together))

    def _read(self, augmented: bool, batches: Iterable[list[tuple[int, int]]]) -> Iterator[torch.Tensor]:
        items = ([(self.paths[i], draw) for i, draw in batch] for batch in batches)
        return self.readers.read(items, self.size, augmented, self.device)

    def __reduce__(self) -> tuple[Any, ...]:
        return Images, (self.paths, self.size)


class _ImageReader:
    """timm's loader for images of one size. Its processes wait for the next batches between two calls of `read`."""

    def __init__(self, size: Size, augmented: bool, device: str, processes: int):
        from timm.data import create_transform
        from timm.data.loader import PrefetchLoader, fast_collate

        self._sampler = _Sampler()
        dataset: Any = _Files(create_transform(size, is_training=augmented, color_jitter=0.0, use_prefetcher=True))
        loader = torch.utils.data.DataLoader(
            dataset,
            batch_sampler=self._sampler,
            num_workers=processes,
            multiprocessing_context="spawn" if processes else None,
            persistent_workers=processes > 0,
            worker_init_fn=_ignore_interrupts,
            collate_fn=fast_collate,
            generator=torch.Generator(),  # the loader draws from it, and would otherwise change the draws of dropout
            pin_memory=device.startswith("cuda"),
        )
        if processes:
            _start(loader)
        self._loader = PrefetchLoader(loader, device=torch.device(device))

    def read(self, batches: Iterable[list[Item]]) -> Iterator[torch.Tensor]:
        """Yield the batches; a call ends the batches of an earlier call that were not read."""
        self._sampler.batches = list(batches)
        try:
            for images, _ in self._loader:
                yield images
        except OSError as error:  # its last line is the message of the process that reads, the others a traceback
            raise OSError(str(error).strip().splitlines()[-1]) from None


class _Sampler:
    """The batches that a loader reads in its next pass."""

    def __init__(self) -> None:
        self.batches: list[list[Item]] = []

    def __iter__(self) -> Iterator[list[Item]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


def _start(loader: Any) -> None:
    """Start the processes of a loader, which inherit that they ignore Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():  # Python sets handlers in the main thread only
        iter(loader)
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        iter(loader)
    finally:
        signal.signal(signal.SIGINT, handler)


def _ignore_interrupts(_: int) -> None:
    """Ignore Ctrl-C and the end of a terminal, which reach all of its processes.

    Training needs images until it has saved its state.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


class _Files:
    """A data set that reads an image for an item, with a label that nobody uses."""

    def __init__(self, transform: Any):
        self.transform = transform

    def __getitem__(self, item: Item) -> tuple[Any, int]:
        path, draw = item
        image = read_image(path)
        state = random.getstate()
        with torch.random.fork_rng(devices=[]):
            random.seed(draw)
            torch.default_generator.manual_seed(draw)
            transformed = self.transform(image)
        random.setstate(state)
        return transformed, 0
