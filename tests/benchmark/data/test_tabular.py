"""Tables of scikit-learn: their splits, and a network that learns from each."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.api import train_once
from benchmark.tasks.loading import load_data
from benchmark.tasks.registry import get_task


@pytest.mark.parametrize(("name", "sizes"), [("mlp-cancer", [409, 46, 114]), ("mlp-diabetes", [317, 36, 89])])
def test_a_table_is_split_and_each_feature_is_normalized(name: str, sizes: list[int], tmp_path: Path) -> None:
    data = load_data(get_task(name), tmp_path)
    assert [len(targets) for _, targets in (data.train, data.val, data.test)] == sizes
    inputs = data.train[0][:]
    assert inputs.mean(0).abs().max() < 1e-4 and inputs.std(0).sub(1).abs().max() < 1e-4


def test_cancer_is_classified_and_diabetes_predicted_better_than_by_a_constant(tmp_path: Path) -> None:
    cancer = train_once("mlp-cancer[width=0.1]", "gmp", 0.2, epochs=20, data=tmp_path).measurement
    assert cancer.test_accuracy is not None and cancer.test_accuracy > 90
    diabetes = train_once("mlp-diabetes[width=0.1]", "gmp", 0.2, epochs=20, data=tmp_path).measurement
    assert diabetes.test_metric is not None and diabetes.chance is not None
    assert diabetes.test_metric < 0.75 * diabetes.chance and diabetes.val_accuracy is None
    assert diabetes.effective_nonzeros is not None  # a network of numbers is counted as one of classes


def test_a_sparse_model_of_a_wide_table_finds_the_ten_features_that_count(tmp_path: Path) -> None:
    data = load_data(get_task("linear-wide"), tmp_path)
    assert [len(targets) for _, targets in (data.train, data.val, data.test)] == [450, 50, 1_000]
    errors = []
    for form, value, most in (("gmp", 0.01, 10), ("dwf[depth=3]", 20.0, 20), ("dense", 1.0, 1_000)):
        row = train_once("linear-wide", form, value, data=tmp_path).measurement
        assert row.nonzeros is not None and row.nonzeros <= most and row.test_metric is not None
        errors.append(row.test_metric)
    assert max(errors[:2]) < 0.15 < 0.5 < errors[2] < 1.1  # the true weights have 0.09, and a constant 1
