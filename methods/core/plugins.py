"""Plugins: Python files of a user, with methods, tasks, experiments and figures."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from pathlib import Path

from methods.core.registry import MethodError

PREFIX = "sparsefront_plugin_"


def load_plugin(path: str | Path) -> None:
    """Run a user's Python file, which registers methods and tasks as the files of this repository do."""
    path = Path(path).resolve()
    name = f"{PREFIX}{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return
    if not path.is_file() or path.suffix != ".py":
        raise MethodError(f"there is no plugin {path}; a plugin is a Python file")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # a plugin may raise anything
        del sys.modules[name]
        if isinstance(error, MethodError | KeyboardInterrupt):
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise MethodError(f"plugin {path} does not load: {reason}{place_in_plugin(error)}") from error


def loaded() -> tuple[Path, ...]:
    """Return the files that this process has loaded as plugins, in their order."""
    modules = [module for name, module in sys.modules.items() if name.startswith(PREFIX)]
    return tuple(Path(module.__file__) for module in modules if module.__file__)


def place_in_plugin(error: BaseException) -> str:
    """Return the last line of a plugin that an error passed through, as in ` (FILE, line 3)`; nothing if it is ours."""
    frames = [
        (frame.f_globals.get("__file__"), frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__", "").startswith(PREFIX)
    ]
    if not frames:
        return ""
    file, code, line = frames[-1]
    return f" ({file}, line {line})" if file == code else f" ({file})"  # code from a text, as of an annotation
