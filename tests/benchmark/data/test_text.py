"""A text becomes sequences of characters whose targets are the next ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmark.data import text
from benchmark.errors import UsageError
from benchmark.models.gpts import gpt
from benchmark.tasks.registry import get_task
from benchmark.training.evaluation import multiply_adds
from methods.core.network import Network


def test_windows_have_the_next_characters_as_targets_and_do_not_overlap() -> None:
    data = text.windows("abcabdabeabc" * 10, 5)  # 108 characters for training, and 6 for each of the others
    inputs, targets = data.train
    assert inputs[:].shape == targets.shape == (21, 5)
    assert inputs[0:1].tolist() == [[0, 1, 2, 0, 1]] and targets[0].tolist() == [1, 2, 0, 1, 3]
    assert torch.equal(inputs[:].flatten()[1:], targets.flatten()[:-1])
    assert [len(part[1]) for part in (data.val, data.test)] == [1, 1] and data.digest


def test_another_text_and_a_missing_one_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "SHAKESPEARE", (tmp_path / "nowhere").as_uri())
    with pytest.raises(UsageError, match=r"there is no .*tinyshakespeare\.txt, and it could not be downloaded"):
        text.shakespeare(8)(tmp_path / "data")
    assert not (tmp_path / "data").exists()
    (tmp_path / "tinyshakespeare.txt").write_text("to be")
    with pytest.raises(UsageError, match="is not the published tiny Shakespeare"):
        text.shakespeare(8)(tmp_path)


def test_a_missing_text_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source.txt"
    source.write_bytes(b"to be or not to be " * 20)
    monkeypatch.setattr(text, "SHAKESPEARE", source.as_uri())
    monkeypatch.setattr(text, "SHAKESPEARE_SHA256", text.hashlib.sha256(source.read_bytes()).hexdigest())
    first = text.shakespeare(4)(tmp_path / "data")
    source.unlink()
    assert text.shakespeare(4)(tmp_path / "data").digest == first.digest


def test_a_place_of_the_gpt_sees_no_later_token() -> None:
    torch.manual_seed(0)
    model, tokens = gpt(5, 6, width=0.25).eval(), torch.tensor([[0, 1, 2, 3, 4, 0]])
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    changed = tokens.clone()
    changed[0, 3] = 1
    one, two = model(tokens), model(changed)
    torch.testing.assert_close(one[:, :3], two[:, :3])
    assert all(not torch.allclose(one[0, place], two[0, place]) for place in (3, 4, 5))


def test_the_weights_of_the_gpt_that_are_pruned_are_its_matrices() -> None:
    task = get_task("gpt-shakespeare")
    model = task.model()
    net = Network([model])
    assert net.weights.shape[1] == 2 * 12 * 128**2 + 128 * 65 == 401_536
    assert not any("token" in layer.name or "place" in layer.name for layer in net.layers)
    dense, sparse = multiply_adds(model, task.zeros(1))
    assert dense == sparse == 128 * 401_536 + 2 * 2 * 128 * 128 * 128  # products with weights, and attention's own
