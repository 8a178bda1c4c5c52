"""Dense training, the reference of every front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from methods.core.base import Method
from methods.core.registry import register


@register("dense", knob="none")
@dataclass
class Dense(Method):
    """Train all weights with the task's own optimizer and weight decay. The density is 1."""

    family: ClassVar[str] = "dense"
