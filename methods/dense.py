"""The control that every front is read against."""

from __future__ import annotations

from dataclasses import dataclass

from methods.core.base import Method
from methods.core.registry import register


@register("dense", knob="none")
@dataclass
class Dense(Method):
    """Train all weights with the task's own optimizer and weight decay: the control, density 1."""
