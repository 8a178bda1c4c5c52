"""Tables that ship with scikit-learn, and a made one with many features."""

from __future__ import annotations

from pathlib import Path

from benchmark.data.split import Data, balanced_order, split
from benchmark.errors import UsageError
from methods.core.lazy import torch


def breast_cancer(folder: Path) -> Data:
    """Return breast cancer (Wisconsin): 569 tumours with 30 features in two classes, a balanced fifth for testing."""
    inputs, classes = _table("load_breast_cancer")
    labels = classes.long()
    test = torch.zeros(len(labels), dtype=torch.bool)
    test[balanced_order(labels)[::5]] = True
    return split((inputs[~test], labels[~test]), (inputs[test], labels[test]))


def diabetes(folder: Path) -> Data:
    """Return diabetes (Efron et al., 2004): 442 patients with ten features, a random fifth for testing.

    The target is the progress of the disease in units of the standard deviation of the training targets, around their
    mean, so that a constant has a mean squared error of about 1.
    """
    inputs, progress = _table("load_diabetes")
    test = torch.zeros(len(progress), dtype=torch.bool)
    test[torch.randperm(len(progress), generator=torch.Generator().manual_seed(0))[::5]] = True
    std, mean = torch.std_mean(progress[~test])
    targets = ((progress - mean) / std).unsqueeze(1)
    return split((inputs[~test], targets[~test]), (inputs[test], targets[test]))


def wide(folder: Path) -> Data:
    """Return a made table: 500 examples to train and 1,000 to test, with 1,000 normal features in random order.

    The target is the sum of ten features plus normal noise, all scaled to the variance one, so that a constant has a
    mean squared error of about 1, and the ten true weights have 1 / 11.
    """
    stream = torch.Generator().manual_seed(0)
    inputs, noise = torch.randn(1_500, 1_000, generator=stream), torch.randn(1_500, generator=stream)
    true = torch.randperm(1_000, generator=stream)[:10]
    targets = ((inputs[:, true].sum(1) + noise) / 11**0.5).unsqueeze(1)
    return split((inputs[:500], targets[:500]), (inputs[500:], targets[500:]))


def _table(loader: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the features [n, F] and the targets [n] of a data set of scikit-learn."""
    try:
        from sklearn import datasets
    except ModuleNotFoundError:
        raise UsageError("this data set ships with scikit-learn: pip install scikit-learn") from None
    features, targets = getattr(datasets, loader)(return_X_y=True)
    return torch.tensor(features, dtype=torch.float32), torch.tensor(targets, dtype=torch.float32)
