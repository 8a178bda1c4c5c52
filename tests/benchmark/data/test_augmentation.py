"""Augmented batches, checked with images that are transformed by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark.data.augmentation import Augmentation

IMAGES = 1 + torch.arange(2 * 3 * 4 * 6, dtype=torch.float32).view(2, 3, 4, 6)


def augmented(augmentation: Augmentation, *draws: list[int]) -> torch.Tensor:
    return augmentation(augmentation.pad(IMAGES), torch.tensor(draws))


def test_the_middle_of_the_border_is_the_image_itself() -> None:
    assert torch.equal(augmented(Augmentation(2), [2, 2, 0, 0, 0], [2, 2, 0, 0, 0]), IMAGES)


def test_each_image_is_shifted_over_black_and_mirrored_as_drawn() -> None:
    one, two = augmented(Augmentation(1), [0, 2, 0, 0, 0], [1, 1, 1, 0, 0])
    black = IMAGES.amin((0, 2, 3))  # 1, 25, 49: the smallest values of the channels
    assert torch.equal(one[:, 1:, :-1], IMAGES[0, :, :-1, 1:])
    assert torch.equal(one[:, 0], black[:, None].expand(3, 6))
    assert torch.equal(one[:, :, -1], black[:, None].expand(3, 4))
    assert torch.equal(two, IMAGES[1].flip(-1))


def test_a_square_is_blanked_and_cut_at_the_edge() -> None:
    one, two = augmented(Augmentation(0, cutout=2), [0, 0, 0, 0, 0], [0, 0, 0, 2, 3])
    assert (one[:, 0, 0] == 0).all() and (one == 0).sum() == 3  # rows and columns -1 and 0
    assert (two[:, 1:3, 2:4] == 0).all() and (two == 0).sum() == 12
    three, _ = augmented(Augmentation(0, cutout=3), [0, 0, 0, 2, 3], [0, 0, 0, 0, 0])
    assert (three[:, 1:4, 2:5] == 0).all() and (three == 0).sum() == 27


@given(shift=st.integers(0, 5), flip=st.booleans(), seed=st.integers(0, 2**31))
def test_draws_stay_within_the_border_and_depend_only_on_the_generator(shift: int, flip: bool, seed: int) -> None:
    augmentation = Augmentation(shift, flip)
    draws = augmentation.draw(50, (3, 4, 6), torch.Generator().manual_seed(seed))
    assert torch.equal(draws, augmentation.draw(50, (3, 4, 6), torch.Generator().manual_seed(seed)))
    assert draws.min() >= 0 and draws[:, :2].max() <= 2 * shift
    assert draws[:, 2].max() <= flip and draws[:, 3].max() < 4 and draws[:, 4].max() < 6


@pytest.mark.parametrize("what", range(3))
def test_every_shift_and_both_sides_are_drawn(what: int) -> None:
    draws = Augmentation(2).draw(500, (3, 4, 6), torch.Generator().manual_seed(0))
    assert set(draws[:, what].tolist()) == set(range(5 if what < 2 else 2))
