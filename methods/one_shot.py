"""The base of methods that train dense, prune once, and may train on under the mask."""

from __future__ import annotations

from dataclasses import dataclass

from methods.core.masked import Masked
from methods.core.masks import Distribution
from methods.core.option_types import ShareFrom0


@dataclass
class OneShot(Masked):
    """Train dense, `prune`, and train on under the mask for the share `finetune` of the budget.

    Fine-tuning has a learning-rate schedule of its own. `finetune=0` prunes after the last step.
    """

    finetune: ShareFrom0 = 0.5
    distribution: Distribution = "global"

    @property
    def cuts_at_end(self) -> bool:
        return not self.finetune

    @property
    def phases(self) -> tuple[float, ...]:
        return (1 - self.finetune, self.finetune) if self.finetune else (1.0,)

    @property
    def batch_norm_version(self) -> int:
        return 1 if self.finetune else 3  # see Method

    def on_phase_start(self, phase: int) -> None:
        if phase == 1:
            self.prune()

    def finish(self) -> None:
        if not self.finetune:
            self.prune()

    def prune(self) -> None:
        """Prune to the run's density."""
        raise NotImplementedError
