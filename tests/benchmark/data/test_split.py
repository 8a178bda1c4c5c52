"""A split of what users have: tensors and arrays of any type become what networks take, and faults are named."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch

from benchmark.data.split import split
from benchmark.errors import UsageError

FEATURES = numpy.arange(60).reshape(20, 3)
LABELS = numpy.arange(20) % 2


@pytest.mark.parametrize("kind", ["float16", "float64", "uint8", "int16"])
def test_numbers_of_any_type_become_float32_and_classes_int64(kind: str) -> None:
    loaded = split((FEATURES.astype(kind), LABELS.astype("int32")), (FEATURES.astype(kind), LABELS > 0))
    inputs, labels = loaded.train
    assert inputs[:].dtype == torch.float32 and labels.dtype == loaded.test[1].dtype == torch.int64
    torch.testing.assert_close(inputs[:].mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(inputs[:].std(0), torch.ones(3))


def test_targets_that_are_numbers_become_float32() -> None:
    targets = FEATURES[:, :1] / 7
    assert torch.equal(split((FEATURES / 2, targets), (FEATURES / 2, targets)).test[1], torch.tensor(targets).float())


@pytest.mark.parametrize("kind", [numpy.int32, numpy.int64])
def test_tokens_stay_as_they_are(kind: type) -> None:
    tokens: Any = FEATURES.astype(kind)
    loaded = split((tokens[:, :2], tokens[:, 1:]), (tokens[:, :2], tokens[:, 1:]))
    assert torch.equal(loaded.test[0][:], torch.tensor(tokens[:, :2]).long())
    inputs, following = loaded.train
    assert len(following) == 18 and torch.equal(inputs[:][:, 1], following[:, 0])


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ((FEATURES, LABELS[:9]), "the training set has 20 examples and 9 labels"),
        ((FEATURES[:0], LABELS[:0]), "the training set has no example"),
        ((FEATURES, LABELS - 1), "the training set has the label -1; labels count classes from 0"),
        ((FEATURES / numpy.where(FEATURES == 7, numpy.nan, 1), LABELS), "training set has inputs or targets that are"),
        ((FEATURES, numpy.full(20, numpy.inf)), "not finite numbers"),
        ((FEATURES, LABELS.astype(str)), "of type <U21, not numbers; classes are numbers from 0"),
        ((FEATURES, [[0]] * 19 + [[0, 1]]), "sequences of several lengths, and no array"),
    ],
)
def test_a_fault_of_the_data_is_named(train: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        split(train, (FEATURES, LABELS))
