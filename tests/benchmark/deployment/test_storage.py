"""Files of networks: the same network comes back, each tensor in the layout that takes the fewest bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from benchmark.deployment import storage
from benchmark.deployment.layouts import rebuilt, smallest
from benchmark.errors import UsageError
from benchmark.models.lenets import lenet300
from sparsefront import SparseOptimizer, load_network, save_network


def sparse(shape: tuple[int, ...], nonzeros: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    flat = torch.zeros(shape).flatten()
    flat[torch.randperm(len(flat), generator=generator)[:nonzeros]] = torch.randn(nonzeros, generator=generator)
    return flat.view(shape).to(dtype)


@pytest.mark.parametrize(
    ("shape", "nonzeros", "layout", "content"),
    [
        ((300, 784), 235_200, "dense", 4 * 235_200),
        ((300, 784), 23_520, "bitmask", 235_200 // 8 + 4 * 23_520),
        ((300, 784), 2_352, "csr", (2 + 4) * 2_352 + 2 * 300),  # columns and counts take 2 bytes each
        ((300, 200), 600, "csr", (1 + 4) * 600 + 300),  # and one byte below 256 columns
        ((50, 20, 5, 5), 250, "csr", (2 + 4) * 250 + 2 * 50),  # rows lie along the first axis
        ((3, 40_000), 100, "csr", (4 + 4) * 100 + 4 * 3),
        ((300, 784), 0, "csr", 2 * 300),
        ((10,), 1, "dense", 40),  # a sparse layout would save less than its entry in the header takes
    ],
)
def test_the_layout_with_the_fewest_bytes_is_chosen(
    shape: tuple[int, ...], nonzeros: int, layout: str, content: int
) -> None:
    tensor = sparse(shape, nonzeros)
    chosen, parts = smallest(tensor)
    assert (chosen, sum(part.numel() * part.itemsize for part in parts.values())) == (layout, content)
    assert torch.equal(tensor, parts[""] if chosen == "dense" else rebuilt(chosen, parts, list(shape)))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_types_come_back(dtype: torch.dtype, tmp_path: Path) -> None:
    model, again = nn.Linear(300, 70).to(dtype), nn.Linear(300, 70).to(dtype)
    for nonzeros in (150, 9_000):
        model.weight.data = sparse((70, 300), nonzeros, dtype)
        save_network(model, tmp_path / "file")
        load_network(tmp_path / "file", again)
        assert torch.equal(model.weight, again.weight) and torch.equal(model.bias, again.bias)


def test_a_lenet_of_a_hundredth_takes_a_fortieth(tmp_path: Path) -> None:
    model = lenet300(784, 10)
    dense = save_network(model, tmp_path / "dense.safetensors")
    optimizer = SparseOptimizer(model, "random", density=0.01, steps=1, lr=0.1)
    model(torch.ones(2, 784)).sum().backward()
    optimizer.step()
    optimizer.finish()
    path = tmp_path / "sparse.safetensors"
    assert save_network(model, path) == path.stat().st_size < dense / 40
    again = load_network(path, lenet300(784, 10))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.norm = nn.Embedding(100, 40), nn.BatchNorm1d(40)
        self.head = nn.Linear(40, 100, bias=False)
        self.head.weight = self.embedding.weight


def test_a_shared_tensor_is_stored_once_and_buffers_come_back(tmp_path: Path) -> None:
    model, again = Tied(), Tied()
    model.norm(torch.randn(8, 40))
    content = save_network(model, tmp_path / "file")
    assert 4 * 4_000 < content < 4 * 5_000
    load_network(tmp_path / "file", again)
    assert again.head.weight is again.embedding.weight and torch.equal(again.head.weight, model.head.weight)
    assert torch.equal(again.norm.running_mean, model.norm.running_mean)  # type: ignore[arg-type]
    assert again.norm.num_batches_tracked == 1


def test_a_file_of_safetensors_alone_is_read(tmp_path: Path) -> None:
    model, again = nn.Linear(3, 2), nn.Linear(3, 2)
    safetensors.torch.save_file(model.state_dict(), tmp_path / "file")
    assert torch.equal(load_network(tmp_path / "file", again).weight, model.weight)


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "file", tmp_path):
        with pytest.raises(UsageError, match=f"{path} cannot be written"):
            save_network(nn.Linear(3, 2), path)
    assert not list(tmp_path.iterdir())


def test_a_wrong_file_is_one_sentence_and_leaves_the_model(tmp_path: Path) -> None:
    model = nn.Linear(3, 2)
    before = model.weight.clone()
    (tmp_path / "text").write_text("no network")
    for path, says in (
        (tmp_path / "none", "there is no network's file"),
        (tmp_path / "text", "is damaged or no"),
        (tmp_path, "cannot be read"),
    ):
        with pytest.raises(UsageError, match=says):
            load_network(path, model)
    for other, says in (
        (nn.Linear(3, 5), "other shapes in weight, bias"),
        (nn.Linear(3, 2, bias=False), "the file has no bias"),
        (nn.Sequential(nn.Linear(3, 2)), "the file has no weight, bias; the model has no 0.bias, 0.weight"),
    ):
        nn.init.zeros_(next(other.parameters()))
        save_network(other, tmp_path / "other")
        with pytest.raises(UsageError, match=says):
            load_network(tmp_path / "other", model)
    assert torch.equal(model.weight, before)


@pytest.mark.parametrize(
    "broken",
    [
        {"layouts": {"weight": ["csr", [2, 3]]}, "shared": {}},  # without its parts
        {"layouts": {"weight": ["zip", [2, 3]]}, "shared": {}},
        {"layouts": {}},
        [],
    ],
)
def test_damaged_metadata_are_one_sentence(broken: object, tmp_path: Path) -> None:
    metadata = {storage.METADATA: json.dumps(broken)}
    safetensors.torch.save_file({"weight": torch.zeros(2, 3)}, tmp_path / "file", metadata)
    with pytest.raises(UsageError, match="damaged"):
        load_network(tmp_path / "file", nn.Linear(3, 2, bias=False))


def test_without_safetensors_saving_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install"):
        save_network(nn.Linear(2, 2), tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_a_buffer_without_entries_comes_back(tmp_path: Path) -> None:
    def build() -> nn.Linear:
        model = nn.Linear(2, 2)
        model.register_buffer("queue", torch.empty(0, 128))
        return model

    model = build()
    save_network(model, tmp_path / "a.safetensors")
    loaded = build()
    load_network(tmp_path / "a.safetensors", loaded)
    assert torch.equal(loaded.weight, model.weight) and loaded.get_buffer("queue").shape == (0, 128)
