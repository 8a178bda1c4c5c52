"""Scores of a script's network read the gradient wherever its function puts it, for models of all calls."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import PackedSequence, pack_sequence, pad_packed_sequence

from methods import MethodError, SparseOptimizer
from tests.builders import batch_norm_cnn, mlp

X, Y = torch.randn(32, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 4


def pruned(model: nn.Module, form: str, probe: Callable[[], Any]) -> SparseOptimizer:
    return SparseOptimizer(model, form, density=0.25, steps=4, lr=0.1, probe=probe)


def plain(model: nn.Module) -> torch.Tensor:
    return cross_entropy(model(X), Y)


def clears(model: nn.Module) -> torch.Tensor:
    model.zero_grad(set_to_none=True)
    return plain(model)


def goes_back_itself(model: nn.Module) -> torch.Tensor:
    model.zero_grad()
    loss = plain(model)
    loss.backward()
    return loss.detach()


def returns_nothing(model: nn.Module) -> None:
    plain(model).backward()


@pytest.mark.parametrize("probe", [clears, goes_back_itself, returns_nothing])
@pytest.mark.parametrize("form", ["snip", "snip[batches=2]", "snip[iterations=3]"])
def test_the_mask_is_that_of_the_gradient_wherever_the_function_puts_it(form: str, probe: Callable[..., Any]) -> None:
    one, two = mlp(), mlp()
    expected = pruned(one, form, lambda: plain(one)).net.weights
    optimizer = pruned(two, form, lambda: probe(two))
    assert torch.equal(optimizer.net.weights, expected)
    assert all(parameter.grad is None for parameter in two.parameters())


@pytest.mark.parametrize("form", ["snip", "grasp", "synflow"])
def test_scores_that_rank_no_weight_are_refused(form: str) -> None:
    model = mlp()
    weights = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    with torch.no_grad():
        for weight in weights:
            weight.zero_()
    with pytest.raises(MethodError, match=f"the scores of {form} are all zero, so they rank no weight"):
        pruned(model, form, lambda: plain(model))
    with torch.no_grad():
        weights[1].fill_(torch.nan)
    with pytest.raises(MethodError, match=f"{form} cannot rank weights by scores that are not finite"):
        pruned(model, form, lambda: plain(model))


@pytest.mark.parametrize("form", ["snip[batches=2]", "obs"])
def test_a_function_that_runs_out_of_batches_is_refused(form: str) -> None:
    model, batches = mlp(), iter([(X, Y)])

    def probe() -> torch.Tensor:
        x, y = next(batches)
        return cross_entropy(model(x), y)

    with pytest.raises(MethodError, match=r"`probe` ran out of batches.*itertools\.cycle"):
        pruned(model, form, probe).finish()


@pytest.mark.filterwarnings("ignore:finish")
@pytest.mark.parametrize("form", ["obs", "wanda"])
def test_a_copy_whose_function_calls_the_first_model_is_refused(form: str) -> None:
    model = mlp()
    optimizer = pruned(model, form, lambda: plain(model))
    _, copied = copy.deepcopy((model, optimizer))
    with pytest.raises(MethodError, match=r"the loss of `probe` does not depend on the model.*deepcopy the copy"):
        copied.finish()
    optimizer.finish()


@pytest.mark.parametrize("form", ["snip", "grasp", "synflow", "magnitude-init"])
def test_the_mask_is_the_same_where_gradients_are_off(form: str) -> None:
    one, two = mlp(), mlp()
    expected = pruned(one, form, lambda: plain(one)).net.weights
    with torch.no_grad():
        optimizer = pruned(two, form, lambda: plain(two))
    assert torch.equal(optimizer.net.weights, expected)


def test_grasp_scores_a_compiled_model() -> None:
    one, two = mlp(), mlp()
    compiled = torch.compile(two, backend="aot_eager")
    assert isinstance(compiled, nn.Module)
    expected = pruned(one, "grasp", lambda: plain(one)).net.weights
    optimizer = pruned(compiled, "grasp", lambda: plain(compiled))
    assert torch.equal(optimizer.net.weights != 0, expected != 0)


class Gates(torch.autograd.Function):
    """A sine whose backward pass, written by hand, torch cannot differentiate."""

    @staticmethod
    def forward(context: Any, x: torch.Tensor) -> torch.Tensor:
        context.save_for_backward(x)
        return x.sin()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, grad: torch.Tensor) -> torch.Tensor:
        return grad * context.saved_tensors[0].cos()


@pytest.mark.parametrize("gates", [nn.functional.hardsigmoid, Gates.apply])
def test_grasp_says_that_a_network_has_no_second_derivative(gates: Callable[[torch.Tensor], torch.Tensor]) -> None:
    layer = nn.Linear(4, 4)
    with pytest.raises(MethodError, match=r"torch does not differentiate the gradient of this network .* such as snip"):
        pruned(layer, "grasp", lambda: gates(layer(X[:, 0, 0])).sum())


@pytest.mark.parametrize(
    "probe",
    [
        lambda model: None,
        lambda model: plain(model).item(),
        lambda model: plain(model).detach(),
        lambda model: cross_entropy(model(X), Y, reduction="none"),
    ],
    ids=["nothing", "a number", "no graph", "a loss of each example"],
)
@pytest.mark.parametrize("form", ["snip", "grasp"])
def test_a_function_that_gives_no_loss_is_refused(form: str, probe: Callable[..., Any]) -> None:
    model = mlp()
    with pytest.raises(MethodError, match="`probe` must return the loss on a batch: a tensor of one number"):
        pruned(model, form, lambda: probe(model))


@dataclass
class Output:
    loss: torch.Tensor | None
    logits: torch.Tensor


class Tokens(nn.Module):
    """A classifier of tokens with keywords, several inputs and a dataclass as its output."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.words, self.body, self.head = nn.Embedding(11, 6), nn.Linear(7, 8), nn.Linear(8, 4)

    def forward(self, tokens: torch.Tensor, *, scale: torch.Tensor, labels: torch.Tensor | None = None) -> Output:
        features = torch.cat([self.words(tokens).mean(1), scale.unsqueeze(1)], 1)
        logits = self.head(self.body(features).relu())
        return Output(None if labels is None else cross_entropy(logits, labels), logits)


@pytest.mark.parametrize("form", ["snip", "grasp", "synflow"])
def test_models_that_take_tokens_and_keywords_and_return_a_dataclass_are_scored(form: str) -> None:
    model, tokens = Tokens(), torch.arange(64).view(32, 2) % 11
    optimizer = pruned(model, form, lambda: model(tokens, scale=torch.randn(32), labels=Y).loss)
    assert int(optimizer.net.weights.count_nonzero()) == round(0.25 * optimizer.net.weights.numel())


def test_flow_of_tokens_is_the_one_worked_out_by_hand() -> None:
    """The first example's token has the embedding (1, -2), so the flow of a weight of |w| = 1 is 1 or 2."""

    class One(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.head = nn.Embedding(3, 2), nn.Linear(2, 2, bias=False)

        def forward(self, tokens: torch.Tensor) -> dict[str, Any]:
            return {"hidden": [self.head(self.words(tokens))], "count": torch.tensor(1.0)}

    model = One()
    with torch.no_grad():
        model.words.weight.copy_(torch.tensor([[5.0, 5.0], [1.0, -2.0], [5.0, 5.0]]))
        model.head.weight.copy_(torch.tensor([[-1.0, 1.0], [1.0, -1.0]]))
    optimizer = SparseOptimizer(
        model,
        "synflow",
        density=0.5,
        steps=1,
        lr=0.1,
        exclude="words",
        probe=lambda: model(torch.tensor([1, 0]))["hidden"][0].sum(),
    )
    assert optimizer.net.weights.tolist() == [[0, 1, 0, -1]]


class Picky(nn.Module):
    """A model that converts types, and refuses batches of one."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self.head, self.least = nn.Linear(16, 4), least

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) < self.least:
            raise ValueError("the batch is too small")
        logits: torch.Tensor = self.head(x.flatten(1).float())
        return logits


def test_a_model_that_asserts_what_ones_do_not_hold_is_refused() -> None:
    class Asserts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(16, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert x.min() < 0, "no input is negative"
            logits: torch.Tensor = self.head(x.flatten(1))
            return logits

    model = Asserts()
    with pytest.raises(MethodError, match="synflow computes a copy of the model on ones, which fails: no input is neg"):
        pruned(model, "synflow", lambda: plain(model))


def test_synflow_computes_in_float64_if_the_model_can_and_says_if_it_cannot_compute() -> None:
    converts, refuses, model = Picky(1), Picky(2), mlp()
    assert int(pruned(converts, "synflow", lambda: plain(converts)).net.weights.count_nonzero()) == 16
    with pytest.raises(MethodError, match="synflow computes a copy of the model on ones, which fails: the batch is"):
        pruned(refuses, "synflow", lambda: plain(refuses))
    with pytest.raises(MethodError, match="`probe` must call the model that the optimizer is built on"):
        pruned(model, "synflow", lambda: plain(mlp()))


class Cached(nn.Module):
    """A model that makes a buffer in its first forward pass and enlarges another one."""

    seen: torch.Tensor
    positions: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.net = batch_norm_cnn()
        self.register_buffer("seen", torch.zeros(0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not hasattr(self, "positions"):
            self.register_buffer("positions", torch.ones(x.shape[-1]), persistent=False)
        self.seen = torch.cat([self.seen, torch.ones(1)])
        return self.net(x * self.positions)


@pytest.mark.parametrize("form", ["snip", "grasp", "synflow"])
def test_a_model_that_makes_buffers_in_its_forward_pass_is_scored(form: str) -> None:
    model = Cached()
    before = {name: buffer.clone() for name, buffer in model.net.named_buffers()}
    optimizer = pruned(model, form, lambda: plain(model))
    assert optimizer.net.weights.any()
    assert all(torch.equal(buffer, before[name]) for name, buffer in model.net.named_buffers())


def test_sparse_gradients_train_as_dense_ones_do() -> None:
    class Words(nn.Module):
        def __init__(self, sparse: bool) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.words, self.head = nn.Embedding(11, 6, sparse=sparse), nn.Linear(6, 4)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return self.head(self.words(tokens).mean(1))

    tokens, trained = torch.arange(64).view(32, 2) % 11, []
    for sparse in (False, True):
        model = Words(sparse)
        optimizer = SparseOptimizer(model, "dwf", strength=0.1, steps=4, lr=0.1, exclude="words")
        for step in range(4):
            (model if step % 2 else optimizer).zero_grad()
            cross_entropy(model(tokens), Y).backward()
            optimizer.step()
        trained.append(model.words.weight.detach())
    torch.testing.assert_close(*trained)


class Pair(NamedTuple):
    images: torch.Tensor
    scale: float


def of_pair(model: nn.Module, pair: Pair) -> torch.Tensor:
    scores: torch.Tensor = model(pair.images.flatten(1))
    return scores * pair.scale


def of_sequences(model: nn.Module, sequences: PackedSequence) -> torch.Tensor:
    return pad_packed_sequence(PackedSequence(model(sequences.data), *sequences[1:]), batch_first=True)[0].sum(1)


class Reads(nn.Module):
    def __init__(self, read: Callable[[nn.Module, Any], torch.Tensor]) -> None:
        super().__init__()
        self.layers, self.read = nn.Sequential(nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 4)), read

    def forward(self, x: Any) -> torch.Tensor:
        return self.read(self.layers, x)


@pytest.mark.parametrize(
    ("read", "x"), [(of_pair, Pair(X, 2.0)), (of_sequences, pack_sequence([torch.ones(3, 16), torch.ones(2, 16)]))]
)
def test_synflow_keeps_the_kind_of_a_batch(read: Callable[[nn.Module, Any], torch.Tensor], x: Any) -> None:
    model = Reads(read)
    optimizer = SparseOptimizer(model, "synflow", density=0.25, steps=4, lr=0.1, probe=lambda: model(x).square().mean())
    assert int(optimizer.net.weights.count_nonzero()) == round(0.25 * optimizer.net.weights.numel())
