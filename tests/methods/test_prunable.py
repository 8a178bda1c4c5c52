"""The kinds of modules whose weights are pruned, in a script and in packs."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from methods import METHODS, MethodError, SparseOptimizer, parse
from methods.core.coverage import coverage
from methods.core.masks import layer_counts
from methods.core.network import Layer, Network
from methods.core.prunable import prunable_names

VALUE = {"density": {"density": 0.3}, "strength": {"strength": 2.0}, "penalty": {"penalty": 0.01}, "none": {}}
LABELS = torch.arange(8) % 3


class Conv1D(nn.Module):
    """A linear module as `transformers` writes it, with the inputs first."""

    def __init__(self, outputs: int, inputs: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(0.1 * torch.randn(inputs, outputs)), nn.Parameter(torch.zeros(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight + self.bias


class Self(nn.Module):
    """Self-attention, whose keys and values may have a length of their own."""

    def __init__(self, **sizes: int):
        super().__init__()
        self.attention, self.sizes = nn.MultiheadAttention(6, 2, batch_first=True, **sizes), sizes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        keys, values = (x[..., : self.sizes.get(name, 6)] for name in ("kdim", "vdim"))
        mixed: torch.Tensor = self.attention(x, keys, values)[0]
        return mixed


class First(nn.Module):
    """The first output of a module, and of a pair of inputs if it takes two."""

    def __init__(self, module: nn.Module, twice: bool = False):
        super().__init__()
        self.inner, self.twice = module, twice

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.inner(x, x) if self.twice else self.inner(x)
        while isinstance(y, tuple):
            y = y[0]
        assert isinstance(y, torch.Tensor)
        return y


IN_PROJ = ["0.attention.in_proj_weight", "0.attention.out_proj.weight"]
SEPARATE = [f"0.attention.{name}" for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj.weight")]
LSTM = [f"0.inner.weight_{part}_l{n}{way}" for n in "01" for way in ("", "_reverse") for part in ("ih", "hh", "hr")]
ENCODER = [f"0.{name}" for name in ("self_attn.in_proj_weight", "self_attn.out_proj.weight")]
KINDS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], list[str]]] = {
    "transposed-1d": (lambda: nn.ConvTranspose1d(2, 3, 3), (8, 2, 5), ["0.weight"]),
    "transposed-2d": (lambda: nn.ConvTranspose2d(2, 4, 3, stride=2, groups=2), (8, 2, 3, 3), ["0.weight"]),
    "transposed-3d": (lambda: nn.ConvTranspose3d(2, 3, 2), (8, 2, 3, 3, 3), ["0.weight"]),
    "bilinear": (lambda: First(nn.Bilinear(3, 3, 5), twice=True), (8, 3), ["0.inner.weight"]),
    "conv1d-of-transformers": (lambda: Conv1D(5, 6), (8, 6), ["0.weight"]),
    "attention": (Self, (8, 3, 6), IN_PROJ),
    "attention-of-other-lengths": (lambda: Self(kdim=4, vdim=5), (8, 3, 6), SEPARATE),
    "encoder-layer": (
        lambda: nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, batch_first=True),
        (8, 3, 6),
        [*ENCODER, "0.linear1.weight", "0.linear2.weight"],
    ),
    "rnn": (lambda: First(nn.RNN(4, 5, batch_first=True)), (8, 3, 4), [f"0.inner.weight_{p}_l0" for p in ("ih", "hh")]),
    "gru": (lambda: First(nn.GRU(4, 5, batch_first=True)), (8, 3, 4), [f"0.inner.weight_{p}_l0" for p in ("ih", "hh")]),
    "lstm": (
        lambda: First(nn.LSTM(4, 5, 2, bidirectional=True, proj_size=3, batch_first=True)),
        (8, 3, 4),
        LSTM,
    ),
    "lstm-cell": (lambda: First(nn.LSTMCell(4, 5)), (8, 4), ["0.inner.weight_ih", "0.inner.weight_hh"]),
    "gru-cell": (lambda: First(nn.GRUCell(4, 5)), (8, 4), ["0.inner.weight_ih", "0.inner.weight_hh"]),
}


def build(kind: str, seed: int = 0) -> tuple[nn.Module, torch.Tensor]:
    """Return a classifier with a module of a kind, and a batch of eight inputs."""
    torch.manual_seed(seed)
    make, shape, _ = KINDS[kind]
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    model = nn.Sequential(make(), nn.Flatten())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch has no fast LSTM with projections for CPUs
        return model.append(nn.Linear(model(x).shape[1], 3)), x


@pytest.mark.parametrize("kind", KINDS)
def test_matrices_are_pruned_to_the_density_and_vectors_stay_dense(kind: str) -> None:
    model, x = build(kind)
    names = [*KINDS[kind][2], "2.weight"]
    assert prunable_names(model) == names
    optimizer = SparseOptimizer(model, "random", density=0.25, steps=2, lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), LABELS).backward()
        optimizer.step()
    optimizer.finish()
    weights = [model.get_parameter(name) for name in names]
    total = sum(weight.numel() for weight in weights)
    assert sum(int(weight.count_nonzero()) for weight in weights) == round(0.25 * total)
    dense = [parameter for name, parameter in model.named_parameters() if name not in names]
    assert all(parameter.dim() == 1 and bool(parameter.any()) for parameter in dense)


@pytest.mark.filterwarnings(
    "ignore:.*left:UserWarning", "ignore:.*constant:UserWarning", "ignore:.*prunes all weights of:UserWarning"
)
@pytest.mark.parametrize("form", METHODS)
@pytest.mark.parametrize("kind", ["lstm", "encoder-layer", "transposed-2d", "bilinear"])
def test_every_method_trains_every_kind(kind: str, form: str) -> None:
    model, x = build(kind)
    before = {layer: model.get_parameter(layer).detach().clone() for layer in prunable_names(model)}

    def loss() -> torch.Tensor:
        return torch.nn.functional.cross_entropy(model(x), LABELS)

    value = VALUE[parse(form).knob]
    optimizer = SparseOptimizer(model, form, steps=6, lr=0.1, rates=[0.1] * 6, probe=loss, **value)
    for _ in range(6):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    optimizer.finish()
    assert loss().isfinite()
    if parse(form).knob == "density":
        total = optimizer.net.weights.numel()
        assert sum(int(model.get_parameter(name).count_nonzero()) for name in before) == round(0.3 * total)
    else:
        assert not any(torch.equal(model.get_parameter(name), weight) for name, weight in before.items())


@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")
@pytest.mark.parametrize("kind", ["transposed-2d", "bilinear", "conv1d-of-transformers", "attention", "encoder-layer"])
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_a_pack_of_every_kind_equals_its_members_alone(kind: str, precision: str) -> None:
    x = build(kind)[1]
    pack, alone = Network([build(kind, s)[0] for s in range(2)]), [Network([build(kind, s)[0]]) for s in range(2)]
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        logits = [net.forward(x) for net in (pack, *alone)]
    for one in logits:
        sum(torch.nn.functional.cross_entropy(row.float(), LABELS) for row in one).backward()  # type: ignore[union-attr]
    atol, rtol = (1e-6, 1e-4) if precision == "float32" else (0.02, 0.1)
    torch.testing.assert_close(logits[0], torch.cat(logits[1:]), atol=atol, rtol=rtol)
    torch.testing.assert_close(pack.grad, torch.cat([net.grad for net in alone]), atol=atol, rtol=rtol)
    torch.testing.assert_close(pack.other_grad, torch.cat([net.other_grad for net in alone]), atol=atol, rtol=rtol)


def test_a_vision_transformer_and_a_transformer_stay_dense_in_embeddings_and_vectors_alone() -> None:
    torchvision = pytest.importorskip("torchvision")
    model = torchvision.models.VisionTransformer(8, 4, 1, 2, 8, 16, num_classes=3)
    matrices = {name for name, parameter in model.named_parameters() if parameter.dim() in (2, 4)}
    assert set(prunable_names(model)) == matrices
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2, enable_nested_tensor=False)
    assert prunable_names(encoder) == [name for name, parameter in encoder.named_parameters() if parameter.dim() == 2]


def test_an_embedding_stays_dense_also_where_a_linear_module_shares_it() -> None:
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 4), nn.Linear(4, 5, bias=False))
    assert prunable_names(model) == ["1.weight", "2.weight"]
    model[2].weight = model[0].weight
    assert prunable_names(model) == ["1.weight"]


def test_stacked_matrices_share_a_density_as_separate_ones_do() -> None:
    """Packed projections count as three matrices of [6, 6] and the gates of a GRU as three of [5, 4] or [5, 5]."""
    packed = Network([build("attention")[0]])
    assert [layer.stack for layer in packed.layers] == [3, 1, 1]
    assert [layer.stack for layer in Network([build("gru")[0]]).layers] == [3, 3, 1]
    assert [layer.stack for layer in Network([build("lstm")[0]]).layers[:3]] == [4, 4, 1]
    assert [layer.stack for layer in Network([build("lstm-cell")[0]]).layers] == [4, 4, 1]
    together, head = Layer("in", (18, 6), 0, 108, 3), Layer("head", (6, 30), 108, 288)
    parts = [Layer(f"{i}", (6, 6), 36 * i, 36 * (i + 1)) for i in range(3)]
    for distribution in ("erk", "balanced", "uniform"):
        counts = layer_counts([*parts, head], 72, distribution)
        assert layer_counts([together, head], 72, distribution) == [sum(counts[:3]), counts[3]], distribution
    # erk by hand: 12 / 36 and 36 / 180 of a common factor; 108 / 3 + 180 / 5 = 72 entries have the factor 1
    assert layer_counts([together, head], 36, "erk") == [18, 18]


def weight_normed(model: nn.Sequential) -> None:
    parametrizations.weight_norm(model[0])


def spectrally_normed(model: nn.Sequential) -> None:
    parametrizations.spectral_norm(model[0])


def orthogonal(model: nn.Sequential) -> None:
    parametrizations.orthogonal(model[0])


def own_parametrization(model: nn.Sequential) -> None:
    parametrize.register_parametrization(model[0], "weight", nn.Softplus())


def old_weight_norm(model: nn.Sequential) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        nn.utils.weight_norm(model[0])


def old_spectral_norm(model: nn.Sequential) -> None:
    nn.utils.spectral_norm(model[0])


def torch_pruned(model: nn.Sequential) -> None:
    prune.l1_unstructured(model[0], "weight", 0.5)


Change = Callable[[nn.Sequential], None]
COMPUTED: dict[Change, str] = {
    weight_normed: "parametrize.remove_parametrizations",
    spectrally_normed: "parametrize.remove_parametrizations",
    orthogonal: "parametrize.remove_parametrizations",
    own_parametrization: "parametrize.remove_parametrizations",
    old_weight_norm: "remove_weight_norm",
    old_spectral_norm: "remove_spectral_norm",
    torch_pruned: "prune.remove",
}


@pytest.mark.parametrize("change", COMPUTED)
def test_a_weight_that_torch_computes_is_refused_with_the_call_that_ends_it(change: Change) -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3))
    change(model)
    with pytest.raises(MethodError, match=r"torch computes 0\.weight from other parameters") as refused:
        SparseOptimizer(model, "random", density=0.5, steps=1, lr=0.1)
    call = f"torch.nn.utils.{COMPUTED[change]}(model.get_submodule('0'), 'weight')"
    assert call in str(refused.value)
    with pytest.raises(MethodError, match="torch computes"):
        Network([model, model])
    assert prunable_names(model, exclude="0") == ["2.weight"]
    frozen = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3))
    change(frozen)
    frozen[0].requires_grad_(False)
    assert prunable_names(frozen) == ["2.weight"]
    eval(call, {"torch": torch, "model": model})
    assert set(prunable_names(model)) == {"0.weight", "2.weight"}


def test_a_parametrized_recurrent_weight_is_refused_by_its_name() -> None:
    model = First(nn.LSTM(3, 3, bidirectional=True))
    parametrizations.weight_norm(model.inner, "weight_hh_l0")
    with pytest.raises(MethodError, match=r"computes inner\.weight_hh_l0 from other parameters"):
        prunable_names(model)
    assert prunable_names(model, exclude="*weight_hh_l0.*") == [
        f"inner.weight_{name}" for name in ("ih_l0", "ih_l0_reverse", "hh_l0_reverse")
    ]


def test_the_coverage_of_a_pruned_transformer_names_no_matrix() -> None:
    assert coverage(nn.TransformerEncoderLayer(4, 2, 8)).startswith("prunes 128 of 172 trained parameters; dense: 8 v")


def test_recurrent_modules_get_their_memory_in_one_piece_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """On CUDA, cuDNN copies the weights in every pass as long as they are in pieces, and torch warns."""
    model, x = build("gru")
    optimizer = SparseOptimizer(model, "random", density=0.5, steps=1, lr=0.1)
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x), LABELS).backward()
    optimizer.step()
    flattened: list[nn.Module] = []
    monkeypatch.setattr(nn.GRU, "flatten_parameters", lambda module: flattened.append(module))
    optimizer.finish()
    assert flattened == [model.get_submodule("0.inner")]


@pytest.mark.parametrize("form", ["magnitude[distribution=erk]", "set", "d-gating", "sign-in"])
def test_single_numbers_and_empty_weights_stay_as_they_are(form: str) -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(4, 2)
            self.scale, self.none = nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(0, 4))

    value = {"strength": 1.0} if form == "d-gating" else {"density": 0.5}
    optimizer = SparseOptimizer(Scaled(), form, steps=2, lr=0.1, include=lambda name, own: True, **value)
    assert {layer.name for layer in optimizer.net.layers} == {"out.weight", "out.bias"}
