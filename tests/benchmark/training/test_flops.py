"""Multiply-adds of modules that torch computes by fused kernels, and of weights that functions use, checked by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from benchmark.models.lenets import lenet5
from benchmark.training.evaluation import multiply_adds
from methods.core.prunable import prunable_names

TOKENS = 5  # in a sequence


class Pair(nn.Module):
    """A bilinear module on the same input twice."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Bilinear(3, 3, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.inner(x, x)
        return y


class Attend(nn.Module):
    """Attention of width 6 with two heads; keys and values may have other lengths."""

    def __init__(self, **options: bool | int):
        super().__init__()
        self.need_weights = bool(options.pop("need_weights", True))
        self.keys, self.values = int(options.get("kdim", 6)), int(options.get("vdim", 6))
        self.inner = nn.MultiheadAttention(6, 2, batch_first=True, **options)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        keys, values = x[..., : self.keys], x[..., : self.values]
        y: torch.Tensor = self.inner(x, keys, values, need_weights=self.need_weights)[0]
        return y


class Functional(nn.Module):
    """Weights that functions use: in slices, transposed, scaled, and as a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.both, self.kernel = nn.Parameter(torch.randn(8, 6)), nn.Parameter(torch.randn(2, 1, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = self.both.chunk(2)
        x = nn.functional.linear(x, first) @ second  # [1, 6] -> [1, 4] -> [1, 6]
        x = torch.einsum("bi,oi->bo", x, 2 * self.both)  # [1, 8]
        return nn.functional.conv1d(x.unsqueeze(1), self.kernel)  # [1, 2, 6]


ATTENTION = 2 * TOKENS * TOKENS * 6  # queries by keys, and scores by values
ENCODER = TOKENS * (4 * 6 * 6 + 2 * 6 * 8)


def lstm(**options: bool | int) -> nn.Module:
    return nn.LSTM(4, 2, batch_first=True, **options)


def encoder() -> nn.Module:
    layer = nn.TransformerEncoderLayer(6, 2, 8, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


CASES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int, int]] = {
    # a builder, the shape of an example, the multiply-adds by weights, and all others
    "transposed convolution": (lambda: nn.ConvTranspose2d(2, 4, 3, stride=2), (1, 2, 5, 5), 25 * 2 * 4 * 9, 0),
    "grouped transposed convolution": (lambda: nn.ConvTranspose1d(4, 6, 3, groups=2), (1, 4, 7), 7 * 4 * 3 * 3, 0),
    "bilinear": (Pair, (1, 3), 3 * 3 * 4, 0),
    "attention": (Attend, (1, TOKENS, 6), TOKENS * 4 * 6 * 6, ATTENTION),
    "attention without weights": (
        lambda: Attend(need_weights=False),
        (1, TOKENS, 6),
        TOKENS * 4 * 6 * 6,
        ATTENTION,
    ),
    "attention of other lengths": (
        lambda: Attend(kdim=4, vdim=5),
        (1, TOKENS, 6),
        TOKENS * 6 * (6 + 4 + 5 + 6),
        ATTENTION,
    ),
    "encoder": (encoder, (1, TOKENS, 6), 2 * ENCODER, 2 * ATTENTION),
    "rnn": (lambda: nn.RNN(4, 2, batch_first=True), (1, TOKENS, 4), TOKENS * 2 * (4 + 2), 0),
    "gru": (lambda: nn.GRU(4, 2, batch_first=True), (1, TOKENS, 4), TOKENS * 6 * (4 + 2), 0),
    "lstm": (lstm, (1, TOKENS, 4), TOKENS * 8 * (4 + 2), 0),
    "lstm of two layers and ways": (
        lambda: lstm(num_layers=2, bidirectional=True),
        (1, TOKENS, 4),
        TOKENS * 2 * 8 * (4 + 2 + 4 + 2),
        0,
    ),
    "lstm with projections": (lambda: lstm(proj_size=1), (1, TOKENS, 4), TOKENS * (8 * (4 + 1) + 2), 0),
    "lstm cell": (lambda: nn.LSTMCell(4, 2), (1, 4), 8 * (4 + 2), 0),
    "functions": (Functional, (1, 6), 2 * 4 * 6 + 8 * 6 + 6 * 2 * 3, 0),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
@pytest.mark.parametrize("case", CASES)
def test_multiply_adds_of_a_module_equal_those_worked_out_by_hand(case: str) -> None:
    build, shape, by_weights, others = CASES[case]
    torch.manual_seed(0)
    model, x = build(), torch.randn(shape)
    assert multiply_adds(model, x) == (by_weights + others, by_weights + others)
    with torch.no_grad():  # a half of every matrix, in every slice of it
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.view(-1)[::2] = 0
    assert multiply_adds(model, x) == (by_weights + others, by_weights // 2 + others)


def test_each_projection_of_packed_attention_saves_its_own_products() -> None:
    """Vision transformers of torchvision attend without scores, and count 2 blocks of 17 tokens of width 8."""
    torchvision = pytest.importorskip("torchvision")
    model = torchvision.models.VisionTransformer(16, 4, 2, 2, 8, 16, num_classes=3)
    nn.init.normal_(model.heads.head.weight)
    image = torch.randn(1, 3, 16, 16)
    blocks = 2 * (17 * (4 * 64 + 2 * 128) + 2 * 17 * 17 * 8)
    dense = 16 * 3 * 16 * 8 + blocks + 8 * 3
    assert multiply_adds(model, image) == (dense, dense)
    with torch.no_grad():
        for name in prunable_names(model):
            if name.endswith("out_proj.weight"):
                model.get_parameter(name).zero_()
            if name.endswith("in_proj_weight"):
                model.get_parameter(name)[:8] = 0  # queries
    assert multiply_adds(model, image) == (dense, dense - 2 * 17 * 2 * 64)


def test_zero_activations_and_tensors_shaped_like_a_weight_save_nothing() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4, 4))
            self.register_buffer("graph", torch.eye(4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            state = torch.zeros_like(self.weight) @ self.weight.new_zeros(4, 4)
            moved = self.weight.clone()
            moved.add_(x.sum()).zero_()
            return x.relu() @ self.weight + state @ moved + x @ self.get_buffer("graph")

    assert multiply_adds(Gated(), -torch.ones(4, 4)) == (4 * 64, 4 * 64)


def test_a_weight_under_a_mask_of_the_model_saves_what_the_mask_removes() -> None:
    class Masked(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.linear(x, self.weight * self.get_buffer("mask"), self.bias)

    model = Masked(4, 4)
    model.register_buffer("mask", torch.arange(16).view(4, 4) < 4)
    assert multiply_adds(model, torch.ones(1, 4)) == (16, 4)


def test_counting_leaves_the_settings_of_torch_as_they_were() -> None:
    def settings() -> tuple[bool, ...]:
        backends = torch.backends
        return backends.mha.get_fastpath_enabled(), backends.cudnn.enabled, bool(backends.mkldnn.enabled)

    before = settings()
    multiply_adds(nn.Linear(2, 2), torch.zeros(1, 2))
    with pytest.raises(RuntimeError):
        multiply_adds(nn.Linear(2, 2), torch.zeros(1, 3))
    assert settings() == before


def test_lenet5_has_the_multiply_adds_of_its_committed_rows() -> None:
    """Both convolutions by hand: 24 x 24 positions of 500 weights and 8 x 8 of 25,000; then 800 x 500 and 500 x 10."""
    dense = 576 * 500 + 64 * 25_000 + 400_000 + 5_000
    assert multiply_adds(lenet5(1, 10), torch.zeros(1, 1, 28, 28)) == (dense, dense)
