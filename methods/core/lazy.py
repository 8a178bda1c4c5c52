"""torch, imported when it is first used.

Importing torch takes seconds. Lists of methods and tasks, and refusals of bad input, do not need it, so the modules
that they load write `from methods.core.lazy import torch` in place of `import torch`. Nothing else changes: no other
module sees the stand-in, and a plain `import torch` works everywhere and only makes lists slower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
else:

    class _Torch:
        """Import torch at the first access to an attribute."""

        def __getattr__(self, name: str) -> Any:
            import torch

            return getattr(torch, name)

    torch = _Torch()

__all__ = ["torch"]
