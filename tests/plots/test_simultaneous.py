"""Critical values, against published tables and scipy."""

from __future__ import annotations

import numpy
import pytest
from scipy import stats

from plots.simultaneous import dunnett_critical, tukey_critical


@pytest.mark.parametrize(("others", "freedom", "value"), [(1, 10, 2.23), (3, 10, 2.76), (5, 10, 2.99), (5, 20, 2.73)])
def test_critical_values_of_dunnett_are_those_of_his_table(others: int, freedom: int, value: float) -> None:
    assert dunnett_critical((3,) * others, 3, freedom, 0.95) == pytest.approx(value, abs=0.006)


def test_samples_of_several_sizes_have_scipys_interval() -> None:
    samples = [numpy.random.default_rng(seed).normal(size=size) for seed, size in enumerate((4, 3, 3, 5))]
    interval = stats.dunnett(*samples[1:], control=samples[0], rng=numpy.random.default_rng(0)).confidence_interval()
    deviation = (sum(((x - x.mean()) ** 2).sum() for x in samples) / 11) ** 0.5
    half = dunnett_critical((3, 3, 5), 4, 11, 0.95) * deviation * (1 / 4 + 1 / numpy.array([3, 3, 5])) ** 0.5
    assert (interval.high - interval.low) / 2 == pytest.approx(half, rel=0.01)  # scipy draws random numbers


@pytest.mark.parametrize(("samples", "freedom"), [(2, 1), (3, 4), (28, 56)])
def test_critical_values_of_tukey_are_scipys(samples: int, freedom: int) -> None:
    expected = stats.studentized_range.ppf(0.95, samples, freedom) / 2**0.5
    assert tukey_critical(samples, freedom, 0.95) == pytest.approx(expected, rel=1e-4)


def test_one_difference_has_the_quantile_of_students_t() -> None:
    assert dunnett_critical((2,), 2, 1, 0.95) == pytest.approx(stats.t.ppf(0.975, 1), rel=1e-4)
