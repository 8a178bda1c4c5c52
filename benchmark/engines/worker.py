"""The state of a process that computes packs."""

from __future__ import annotations

import threading
from pathlib import Path

from benchmark.data.split import Data
from benchmark.data.streamed import ImageReaders
from benchmark.engines.settings import Settings
from benchmark.tasks.loading import load_data
from benchmark.tasks.registry import get_task
from methods.core.plugins import load_plugin

MOST_READERS = 8  # processes that read images for one worker
KEPT_DATA_SETS = 2


class Worker:
    """A process's stop event, its data sets on the device, the processes that read images for it, and its plugins.

    Once `stop` is set, training saves its state before its next step and ends.
    """

    def __init__(self, settings: Settings, cores: int = 1):
        """Load the plugins of the settings; `cores` is this process's share of the machine."""
        self.settings = settings
        self.stop = threading.Event()
        self.readers = ImageReaders(min(cores, MOST_READERS))
        self._data: dict[tuple[str, bool], Data] = {}
        for plugin in settings.plugins:
            load_plugin(plugin)

    def data(self, task: str, synthetic: bool, loaded: Data | None = None) -> Data:
        """Return a task's data on the device: kept from the last run, or taken from `loaded`, or loaded.

        The oldest of more than two data sets is dropped.
        """
        key = task, synthetic
        if key not in self._data:
            while len(self._data) >= KEPT_DATA_SETS:
                del self._data[next(iter(self._data))]
            loaded = loaded or task_data(task, synthetic, self.settings.data_folder)
            self._data[key] = loaded.to(self.settings.device, self.readers)
        return self._data[key]

    def close(self) -> None:
        """Drop the data and end the processes that read images."""
        self._data.clear()
        self.readers.close()


def task_data(task_name: str, synthetic: bool, folder: Path) -> Data:
    """Return a task's data, or synthetic data of the same shape, in this process's memory."""
    task = get_task(task_name)
    return task.synthetic_data() if synthetic else load_data(task, folder)
