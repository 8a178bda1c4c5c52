"""Critical values of simultaneous tests on means with a pooled variance, by numerical integration.

`scipy.stats.dunnett` and `scipy.stats.studentized_range` give the same values and are tested against, but take seconds
for a table of 28 methods, and the former draws random numbers. `scipy.stats` loads for a second.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy
from numpy.typing import NDArray
from scipy import optimize, special

# A standard normal number, by the trapezoidal rule, and a uniform one, by that of Gauss and Legendre.
_Z = numpy.linspace(-9, 9, 181)
_DENSITY = numpy.exp(-(_Z**2) / 2) / numpy.sqrt(2 * numpy.pi) * (_Z[1] - _Z[0])
_NODES, _WEIGHTS = numpy.polynomial.legendre.leggauss(96)


@cache
def dunnett_critical(others: tuple[int, ...], control: int, freedom: int, level: float) -> float:
    """Return Dunnett's two-sided critical value for differences to a control, in their standard errors.

    `others` and `control` are the sizes of the samples. C. W. Dunnett, JASA 1955: given the mean of the control and the
    deviation, the differences are independent.
    """
    sizes, counts = numpy.unique(others, return_counts=True)
    shared = numpy.sqrt(sizes / (sizes + control))[:, None, None]  # the control's mean is in all differences

    def inside(limit: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
        own = numpy.sqrt(1 - shared**2)
        high, low = (special.ndtr((shared * _Z + sign * limit[:, None]) / own) for sign in (1, -1))
        return ((high - low) ** counts[:, None, None]).prod(axis=0) @ _DENSITY

    return _solve(inside, freedom, level)


@cache
def tukey_critical(samples: int, freedom: int, level: float) -> float:
    """Return Tukey's critical value for all differences between samples, in their standard errors."""

    def inside(limit: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
        width = limit[:, None] * 2**0.5  # the range is in deviations of one mean
        return samples * (special.ndtr(_Z) - special.ndtr(_Z - width)) ** (samples - 1) @ _DENSITY

    return _solve(inside, freedom, level)


def _solve(inside: Callable[[NDArray[numpy.float64]], NDArray[numpy.float64]], freedom: int, level: float) -> float:
    """Return the limit that holds with a probability, over the distribution of the pooled deviation."""
    deviation = numpy.sqrt(2 * special.gammaincinv(freedom / 2, (_NODES + 1) / 2) / freedom)  # chi squared

    def missing(critical: float) -> float:
        return float(inside(critical * deviation) @ _WEIGHTS) / 2 - level

    return float(optimize.brentq(missing, 0, 1e4))
