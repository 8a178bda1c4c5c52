"""A penalty with an exact density: training with the penalty, magnitude pruning, and fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from methods.core.hand_over import HandOver
from methods.core.masks import Distribution
from methods.core.option_types import Range
from methods.core.registry import MethodError, check_value, register

NEUTRAL = {"strength": 6.0, "penalty": 1e-3}


@register("prune-after", knob="density")
@dataclass
class PruneAfter(HandOver):
    """Train as the penalty method `mask` does, keep the weights of largest |w|, and train on without the penalty.

    This is how penalties are used where a density is asked for: spred (Ziyin & Wang, ICML 2023, `mask=dwf[depth=2]`)
    and L1 train, cut and fine-tune. `at` is the value of the knob of `mask`, its strength or its lambda: 6 or 1e-3 if
    not given. `finetune` is the share of the budget that follows the pruning, with a learning-rate schedule of its own
    and the task's weight decay; a strength is that of the share before. The mask of every run has exactly the density.
    Where the penalty has left fewer weights, it holds zeros, too. Those that get a gradient learn again; those of units
    that have died, and all of a network without any weight, stay zero. The run's row then says how many are left.
    """

    family: ClassVar[str] = "penalty"
    paper: ClassVar[str] = "as in Ziyin & Wang, ICML 2023"

    mask: str = field(default="dwf[depth=2]", metadata={"shown": True})
    at: Annotated[float, Range("[0, 1e6]")] | None = None
    finetune: Annotated[float, Range("(0, 1)")] = 0.5
    distribution: Distribution = "global"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.inner.knob not in NEUTRAL or self.inner.inner:
            raise MethodError(f"the mask of prune-after is a method with a strength or a penalty, not {self.mask}")
        check_value(self.inner, self.inner_value)

    @property
    def inner_value(self) -> float:
        return NEUTRAL[self.inner.knob] if self.at is None else self.at

    def inner_values(self) -> list[float]:
        return [self.inner_value] * self.net.runs

    @property
    def phases(self) -> tuple[float, ...]:
        return (*(share * (1 - self.finetune) for share in self.inner.phases_at(self.inner_value)), self.finetune)

    def phases_at(self, value: float) -> tuple[float, ...]:
        return self.phases

    def hand_over(self) -> None:
        self.fixed.prune_to(self.net.weights.abs(), self.distribution, self.value)
