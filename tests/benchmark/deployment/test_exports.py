"""Exported networks compute what the model computes, for batches of any size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.sparse._semi_structured_conversions import sparse_semi_structured_from_dense_cutlass

from benchmark import Experiment, load_run, run_experiment
from benchmark.deployment import exports, sparse_rows, two_of_four
from benchmark.deployment.compact import compact
from benchmark.deployment.exports import export
from benchmark.deployment.fast_path import leave_fast_path
from benchmark.deployment.sparse_rows import SparseConv2d, SparseLinear, with_sparse_rows
from benchmark.deployment.two_of_four import with_two_of_four
from benchmark.errors import UsageError
from benchmark.models.lenets import lenet5
from tests.builders import rows, sparsefront

EXAMPLE = torch.zeros(1, 1, 28, 28)


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    model = lenet5(1, 10).eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.data *= torch.rand_like(parameter) < 0.1
    return model


def test_an_exported_program_computes_the_same(model: nn.Module, tmp_path: Path) -> None:
    export(model, EXAMPLE, tmp_path / "net.pt2", "dense")
    program = torch.export.load(tmp_path / "net.pt2").module()
    for batch in (1, 3):
        x = torch.randn(batch, 1, 28, 28)
        torch.testing.assert_close(program(x), model(x), rtol=1e-5, atol=1e-6)


def test_a_model_of_onnx_computes_the_same(model: nn.Module, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    export(model, EXAMPLE, tmp_path / "net.onnx", "onnx")
    session = runtime.InferenceSession(tmp_path / "net.onnx")
    for batch in (1, 3):
        x = torch.randn(batch, 1, 28, 28)
        (got,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        torch.testing.assert_close(torch.from_numpy(got), model(x).detach(), rtol=1e-5, atol=1e-6)


def test_an_operator_that_onnx_lacks_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")

    class Values(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.linalg.eigvals(x @ x.mT).real

    with pytest.raises(UsageError, match=r"ONNX cannot express the network \(.*--format dense"):
        export(Values(), torch.zeros(1, 3, 3), tmp_path / "net.onnx", "onnx")


def test_without_onnx_the_sentence_says_what_to_install(
    model: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(UsageError, match="needs onnx: pip install"):
        export(model, EXAMPLE, tmp_path / "net.onnx", "onnx")


def test_a_network_that_torch_cannot_trace_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Branching(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(UsageError, match=r"torch\.export cannot trace the network"):
        export(Branching(), torch.zeros(1, 3), tmp_path / "net.pt2", "dense")
    assert not list(tmp_path.iterdir()) and not any(capsys.readouterr())


@pytest.mark.parametrize("forward", [lambda x: x.view(2, -1), lambda x: x if len(x) < 5 else -x])
def test_a_network_for_batches_of_one_size_is_one_sentence(
    forward: Callable[[torch.Tensor], torch.Tensor], tmp_path: Path
) -> None:
    class OneSize(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return forward(x)

    with pytest.raises(UsageError, match="gives the size of a batch as a number, or branches on it"):
        export(OneSize(), torch.zeros(1, 3), tmp_path / "net.pt2", "dense")


@pytest.mark.filterwarnings("ignore:Validating sparse tensor invariants")
def test_sparse_rows_compute_the_same(model: nn.Module, tmp_path: Path) -> None:
    sparse = with_sparse_rows(model)
    x = torch.randn(3, 1, 28, 28)
    torch.testing.assert_close(sparse(x), model(x), rtol=1e-5, atol=1e-6)
    kinds = [type(module) for module in sparse.modules()]
    assert kinds.count(SparseConv2d) == kinds.count(SparseLinear) == 2
    export(model, EXAMPLE, tmp_path / "net.pt", "torch-sparse")
    state = torch.load(tmp_path / "net.pt", weights_only=True)
    weight = state["fc1.weight"]
    assert weight.layout == torch.sparse_csr and torch.equal(weight.to_dense(), model.get_parameter("fc1.weight"))


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False),
        nn.Conv2d(4, 6, (3, 2), dilation=(1, 2), padding=(0, 2)),
        nn.Conv2d(4, 6, 3, groups=2),  # it stays as it is
        nn.Conv2d(4, 6, 3, padding="same"),
        nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"),
        nn.Linear(9, 5, bias=False),  # on the last axis
    ],
)
def test_layers_of_all_kinds_compute_the_same_with_sparse_rows(layer: nn.Module) -> None:
    x = torch.randn(2, 4, 7, 9)
    torch.testing.assert_close(with_sparse_rows(layer)(x), layer(x), rtol=1e-5, atol=1e-6)


def test_sparse_rows_compute_where_torch_has_a_fast_path_and_where_a_row_comes_alone() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True).eval()
    first = nn.Linear(8, 4)
    first.register_forward_hook(lambda module, given, result: 2 * result)  # such a layer stays dense
    with torch.no_grad():
        for model, x in ((layer, torch.randn(3, 5, 8)), (nn.Linear(8, 4), torch.randn(8)), (first, torch.randn(2, 8))):
            torch.testing.assert_close(with_sparse_rows(model)(x), model(x), rtol=1e-5, atol=1e-6)


class ReadsParts(nn.Module):
    """A network that computes with the weight of a part itself, as torchvision's Swin does, and reads its sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.linear = nn.Conv2d(2, 3, 3), nn.Linear(12, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = self.conv(x).reshape(-1, self.conv.out_channels, self.linear.in_features // self.conv.out_channels)
        return nn.functional.linear(rows.flatten(1), self.linear.weight, self.linear.bias)


def test_a_network_reads_the_weights_biases_and_sizes_of_layers_with_sparse_rows() -> None:
    model, x = ReadsParts(), torch.randn(7, 2, 4, 4)
    torch.testing.assert_close(with_sparse_rows(model)(x), model(x), rtol=1e-5, atol=1e-6)


def test_sparse_rows_of_low_precision_are_one_sentence() -> None:
    with pytest.raises(UsageError, match=r"no sparse rows of bfloat16; call float\(\) on the model"):
        with_sparse_rows(nn.Linear(8, 4).bfloat16())


def test_a_file_of_sparse_rows_has_eight_bytes_for_a_nonzero(tmp_path: Path) -> None:
    layer = nn.Linear(300, 300)
    export(layer, torch.zeros(1, 300), tmp_path / "net.pt", "torch-sparse")
    assert (tmp_path / "net.pt").stat().st_size < 8 * 300 * 300 + 10_000


def test_a_forward_pass_of_any_arguments_is_exported(tmp_path: Path) -> None:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(3, 2)

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            return torch.relu(self.inner(*inputs))

    model, x = Wrapped(), torch.randn(5, 3)
    export(model, x[:1], tmp_path / "net.pt2", "dense")
    torch.testing.assert_close(torch.export.load(tmp_path / "net.pt2").module()(x), model(x))


def test_without_mkl_the_sentence_says_what_works(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse_rows.torch.backends.mkl, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no MKL here"):
        with_sparse_rows(model)


@pytest.mark.filterwarnings("ignore:Validating sparse tensor invariants")
def test_the_command_exports_the_compacted_network_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grid = Experiment(("lenet300-digits",), ("random",), {"density": (0.01,)}, seeds=(0,), epochs=1)
    (row,) = rows(run_experiment(grid, name="mine", results=tmp_path, keep_networks=True, quiet=True))
    arguments = ["export", row["key"], "--results", str(tmp_path), "--format"]
    assert sparsefront(monkeypatch, *arguments, "torch-sparse", "--output", str(tmp_path / "net.pt")) == 0
    assert f"{int(row['compact_parameters']):,} of {int(row['parameters']):,}" in capsys.readouterr().out
    model, task = load_run(row["key"], tmp_path)
    small = with_sparse_rows(compact(model, task.synthetic_data().train[0][:1]))
    small.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    x = task.synthetic_data().train[0][:5]
    torch.testing.assert_close(small(x), model(x), rtol=1e-5, atol=1e-5)
    monkeypatch.chdir(tmp_path)
    assert sparsefront(monkeypatch, *arguments, "torch-sparse") == 0 and (tmp_path / f"{row['key']}.pt").exists()
    for wrong, says in (
        (["export", "abc", "--results", str(tmp_path), "--format", "dense"], "has the key 'abc'"),
        ([*arguments, "zip"], "Invalid value for '--format': 'zip' is not one of"),
        ([*arguments, "dense", "--output", "no/such"], "there is no folder no"),
        ([*arguments, "dense", "--output", "out.dense"], "reads files that end in .pt2, not out.dense"),
        ([*arguments, "torch-sparse", "--output", str(tmp_path / "mine")], "mine cannot be written (Is a directory)"),
        (
            [*arguments, "torch-2:4", "--output", "net.pt"],
            "which this machine lacks; choose torch-sparse, onnx or dense",
        ),
    ):
        before = sorted(tmp_path.rglob("*"))
        monkeypatch.setattr(two_of_four.torch.cuda, "is_available", lambda: False)
        assert sparsefront(monkeypatch, *wrong) == 2
        said = capsys.readouterr().err
        assert says in said and len(said.strip().splitlines()) == 1 and sorted(tmp_path.rglob("*")) == before


def on_cpu(weight: torch.Tensor) -> torch.Tensor:
    """Return the semi-structured tensor of a weight, as torch makes one on an accelerator."""
    kind = torch.sparse.SparseSemiStructuredTensorCUTLASS
    packed, meta = sparse_semi_structured_from_dense_cutlass(weight)
    return kind(weight.shape, packed=packed, meta=meta, packed_t=None, meta_t=None, compressed_swizzled_bitmask=None)


@pytest.fixture
def accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the CPU pass for an accelerator."""
    monkeypatch.setattr(two_of_four.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(two_of_four.torch.cuda, "get_device_capability", lambda: (8, 0))
    monkeypatch.setattr(two_of_four, "DEVICE", "cpu")
    monkeypatch.setattr(two_of_four, "to_sparse_semi_structured", on_cpu)


def test_two_of_four_leaves_the_fast_path_of_encoder_layers(accelerator: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fast(*inputs: object) -> torch.Tensor:
        raise AssertionError("the fast path was taken")

    layer, x = nn.TransformerEncoderLayer(64, 2, 64, batch_first=True).eval(), torch.randn(3, 5, 64)
    layer.linear1.weight.data.view(64, 16, 4)[..., ::2] = 0
    # torch multiplies by semi-structured tensors on accelerators alone, so a dense one stands for them here.
    monkeypatch.setattr(two_of_four, "to_sparse_semi_structured", torch.Tensor.clone)
    with torch.no_grad():
        expected = layer(x)
        monkeypatch.setattr(torch, "_transformer_encoder_layer_fwd", fast)
        found = with_two_of_four(layer)(x.half())
    torch.testing.assert_close(found.float(), expected, rtol=0.02, atol=0.02)


def test_two_of_four_takes_the_layers_that_fit(
    accelerator: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="no linear layer has at most two nonzeros in four neighbours"):
        with_two_of_four(nn.Sequential(nn.Linear(64, 32), nn.Linear(32, 10)))
    first = nn.Linear(64, 64)
    wide = nn.Sequential(first, nn.ReLU(), nn.Linear(64, 64), nn.Linear(64, 10))
    first.weight.data.view(64, 16, 4)[..., ::2] = 0
    export(wide, torch.zeros(1, 64), tmp_path / "net.pt", "torch-2:4")
    state = torch.load(tmp_path / "net.pt", weights_only=False)
    kinds = [isinstance(state[f"{place}.weight"], torch.sparse.SparseSemiStructuredTensor) for place in (0, 2, 3)]
    assert kinds == [True, False, False] and state["0.weight"].packed.shape == (64, 32)
    assert torch.equal(state["0.weight"].to_dense(), first.weight.detach().half())
    monkeypatch.setattr(two_of_four.torch.cuda, "get_device_capability", lambda: (7, 5))
    with pytest.raises(UsageError, match=r"compute capability 8\.0 or higher"):
        with_two_of_four(wide)


def test_every_format_has_an_ending() -> None:
    assert set(exports.ENDINGS) == {"dense", "onnx", "torch-sparse", "torch-2:4"}


def test_an_encoder_with_sparse_rows_takes_padding() -> None:
    """torch's encoder would leave padding out by nested tensors, which no sparse layer can take."""
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12, batch_first=True), 2).eval()
    with_rows = with_sparse_rows(encoder)
    leave_fast_path(encoder)
    x, padding = torch.randn(2, 4, 8), torch.tensor([[False] * 4, [False, False, True, True]])
    with torch.no_grad():
        found, expected = (each(x, src_key_padding_mask=padding) for each in (with_rows, encoder))
    torch.testing.assert_close(found[~padding], expected[~padding], rtol=1e-5, atol=1e-6)
