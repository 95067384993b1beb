"""Choosing an engine."""

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import handle_torch_function, has_torch_function_unary

from lipbench import nets
from lipbench.train.gradients import choose as module
from lipbench.train.gradients.choose import choose
from lipbench.train.gradients.operations import Affine, Leaky
from tests.train.gradients.test_exact import Functional, MaxMin, Sorted, mlp

SHAPE = (2, 4, 4)


class Calls(nn.Module):
    """A critic whose activation is a function."""

    def __init__(self, function: object) -> None:
        super().__init__()
        self.function = function
        self.first, self.last = nn.Linear(32, 8), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(self.function(self.first(x.flatten(1))))  # type: ignore[operator]  # a function or a module
        return out


@pytest.mark.parametrize("architecture", ["cnn-32", "cnn-48", "resnet-32", "resnet-48", "cnn-8"])
def test_every_shared_critic_gets_the_three_sweeps(architecture: str) -> None:
    side = int(architecture.rpartition("-")[2])
    engine = choose(nets.find(architecture)((3, side, side), 8)[1], (3, side, side))
    assert engine.name == "three-sweep"
    assert engine.reason is None


@pytest.mark.parametrize("critic", [mlp(nn.ReLU), mlp(MaxMin), mlp(Sorted), Functional()])
def test_piecewise_linear_critics_of_ones_own_get_them_too(critic: nn.Module) -> None:
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    assert choose(critic, SHAPE).name == "three-sweep"
    torch.testing.assert_close(critic.state_dict(), before, rtol=0, atol=0)
    assert all(weight.grad is None for weight in critic.parameters())


def twice(x: Tensor) -> Tensor:
    y = x.clone()
    return y.relu_() + x


def used_again(x: Tensor) -> Tensor:
    return x.relu_() + x


def seen_twice(x: Tensor) -> Tensor:
    y = (x * 1.0 + x).relu()
    z = y.view(len(y), -1)
    nn.functional.leaky_relu(y, 0.5, inplace=True)  # does nothing here, as all are positive, and would elsewhere
    return z


def partly_constant(x: Tensor) -> Tensor:
    with torch.no_grad():
        y = x.relu()
    return y + x


def relu(x: Tensor) -> Tensor:
    """Not torch's, though it is called the same."""
    if has_torch_function_unary(x):
        out: Tensor = handle_torch_function(relu, (x,), x)
        return out
    return x.clamp(0, 100)


capped = relu


def written_into(x: Tensor) -> Tensor:
    y = x * 1.0
    y[:, :2] = y[:, 2:4]
    return y


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (written_into, "do not know __setitem__"),
        (seen_twice, "do not know a change in place of a tensor that has views"),
        (partly_constant, "do not know a part under torch.no_grad"),
        (capped, "do not know a function that is not torch's"),
        (lambda x: x * 2 if x.requires_grad else x, "do not know what looks at a history"),
        (lambda x: x.relu() * torch.linspace(0.5, 1, len(x), dtype=x.dtype)[:, None], "could not be proven"),
        (lambda x: (x * 1.0).tanh_(), "do not know tanh_"),
        (torch.tanh, "do not know tanh"),
        (nn.functional.softplus, "do not know softplus"),
        (nn.functional.silu, "do not know silu"),
        (nn.Dropout(), "do not know dropout"),
        (nn.LayerNorm(8), "do not know layer_norm"),
        (nn.PReLU(), "do not know prelu"),
        (lambda x: x + 1, "do not know add as it is used here"),
        (lambda x: x * x, "do not know mul as it is used here"),
        (lambda x: 1 / x, "do not know rdiv|do not know rtruediv|do not know reciprocal"),
        (lambda x: x * x.detach(), "do not know"),
        (lambda x: x[:2].sum() * x, "do not know getitem across the batch"),
        (lambda x: x - x.mean(0), "do not know mean across the batch|do not know sub"),
        (twice, "do not know clone"),
        (used_again, "do not know a tensor that is used again after it was changed in place"),
        (lambda x: nn.functional.leaky_relu(x, -0.5), "negative slope of -0.5"),
    ],
)
def test_any_other_critic_gets_double_backward_and_the_reason_is_said(function: object, reason: str) -> None:
    engine = choose(Calls(function), SHAPE)
    assert engine.name == "double-backward"
    assert engine.reason is not None
    import re

    assert re.search(reason, engine.reason), engine.reason


def test_an_operation_that_lies_about_its_piece_is_caught_by_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Leaky, "again", lambda self, given, rows, scale: given)
    engine = choose(mlp(nn.ReLU), SHAPE)
    assert engine.name == "double-backward"
    assert engine.reason == "the critic is not piecewise linear: the three sweeps give another gradient"


def test_a_dead_critic_is_proven_by_its_neighbours() -> None:
    critic = mlp(nn.ReLU)
    for weight in critic.parameters():
        nn.init.zeros_(weight)
    assert choose(critic, SHAPE).name == "three-sweep"
    assert module.COUNT > 2


def test_a_critic_that_changes_from_pass_to_pass_gets_double_backward() -> None:
    critic = nn.Sequential(nn.Flatten(), nn.Linear(32, 8), nn.ReLU(), nn.Linear(8, 1))
    nn.utils.spectral_norm(critic[1])  # the older kind: its power iteration moves at each pass
    assert choose(critic, SHAPE).name == "double-backward"


def test_a_layer_that_drops_a_part_of_the_batch_is_caught_by_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Affine.gradients
    monkeypatch.setattr(Affine, "gradients", lambda self, parts, scale: whole(self, parts[:1], scale))
    assert choose(mlp(nn.ReLU), SHAPE).name == "double-backward"
