"""The check of methods and tasks against their promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from benchmark.contract import method_promises, task_promises
from benchmark.contract.promise import BrokenPromise
from benchmark.errors import UsageError
from methods.core.plugins import place_in_plugin
from methods.core.registry import METHODS, MethodError


@dataclass(frozen=True)
class Finding:
    """The answer to one promise of a method or a task; the reason is empty if it holds."""

    subject: str
    promise: str
    reason: str = ""

    def __str__(self) -> str:
        if self.reason:
            return f"FAILED  {self.subject}: {self.promise}; it does not hold because {self.reason}"
        return f"ok      {self.subject}: {self.promise}"


def check_method(form: str) -> Iterator[Finding]:
    """Check the promises of a method, given by its written form, on small networks."""
    promises = method_promises.PROMISES
    if METHODS[form].knob == "density":
        promises = promises | method_promises.MASK_PROMISES
    yield from _findings(form, {said: partial(_reason_on_networks, look, form) for said, look in promises.items()})


def check_task(name: str) -> Iterator[Finding]:
    """Check the promises of a task, given by its name."""
    yield from _findings(name, {said: partial(_reason, look, name) for said, look in task_promises.PROMISES.items()})


def check(methods: Iterable[str], tasks: Iterable[str]) -> Iterator[Finding]:
    """Check registered methods, in their default form, and registered tasks."""
    for form in methods:
        yield from check_method(form)
    for name in tasks:
        yield from check_task(name)


def _findings(subject: str, looks: Mapping[str, Callable[[], str]]) -> Iterator[Finding]:
    given: set[str] = set()  # one fault may break every promise, and its sentence is long
    for sentence, look in looks.items():
        reason = look()
        yield Finding(subject, sentence, "of the same error as above" if reason in given else reason)
        given |= {reason} - {""}


def _reason_on_networks(look: Callable[..., object], form: str) -> str:
    reason = ""
    for name, build in method_promises.architectures(look).items():
        found = _reason(look, form, build)
        reason = reason or (found and f"{found} (on the network {name})")
    return reason


def _reason(look: Callable[..., object], *arguments: object) -> str:
    try:
        look(*arguments)
    except (BrokenPromise, UsageError, MethodError) as broken:
        return str(broken)
    except Exception as error:  # whatever the user's code raises is the reason
        return f"{type(error).__name__}: {' '.join(str(error).split()) or 'no message'}{place_in_plugin(error)}"
    return ""
