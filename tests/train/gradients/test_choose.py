"""Choosing an engine."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.overrides import handle_torch_function, has_torch_function_unary

from lipbench.train.gradients import choose as module
from lipbench.train.gradients.choose import choose
from lipbench.train.gradients.learned import Affine
from lipbench.train.gradients.operations import Leaky
from tests.builtin import networks
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
    engine = choose(networks(architecture, (3, side, side), 8)[1], (3, side, side))
    assert engine.name == "three-sweep"
    assert engine.reason is None


@pytest.mark.parametrize("critic", [mlp(nn.ReLU), mlp(MaxMin), mlp(Sorted), Functional()])
def test_piecewise_linear_critics_of_ones_own_get_them_too(critic: nn.Module) -> None:
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    assert choose(critic, SHAPE).name == "three-sweep"
    torch.testing.assert_close(critic.state_dict(), before, rtol=0, atol=0)
    assert all(weight.grad is None for weight in critic.parameters())


def used_by_its_view(x: Tensor) -> Tensor:
    y = x * 1.0
    z = y.view(len(y), -1)
    y.relu_()
    return z


def changed_by_its_view(x: Tensor) -> Tensor:
    y = x * 1.0
    y.view(len(y), -1).relu_()
    return y


def counted(x: Tensor) -> Tensor:
    scale = torch.ones(8, dtype=x.dtype)
    y = x + scale
    scale += 1
    return y


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(context: object, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(context: object, gradient: Tensor) -> Tensor:
        return 2 * gradient


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


def into_a_part(x: Tensor) -> Tensor:
    collected = torch.zeros_like(x)
    collected[:, :2].add_(x[:, :2])
    return x + collected


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (written_into, "do not know __setitem__"),
        (used_by_its_view, "a tensor that shares memory with one that was changed in place"),
        (changed_by_its_view, "a tensor that shares memory with one that was changed in place"),
        (counted, "a constant or weight that is changed in place after its use"),
        (partly_constant, "do not know a part under torch.no_grad"),
        (Doubled.apply, r"or in a torch.autograd.Function"),
        (capped, "do not know a function that is not torch's"),
        (lambda x: x * 2 if x.requires_grad else x, "do not know what looks at a history"),
        (lambda x: (x * 1.0).tanh_(), "do not know tanh_"),
        (lambda x: torch.add(x, x, out=torch.zeros_like(x)), "do not know add as it is used here"),
        (lambda x: x.int().to(x.dtype) + x, "do not know int"),
        (torch.tanh, "do not know tanh"),
        (nn.functional.softplus, "do not know softplus"),
        (nn.functional.silu, "do not know silu"),
        (nn.Dropout(), "do not know dropout, which draws random numbers in training"),
        (nn.RReLU(), "do not know rrelu, which draws random slopes in training"),
        (nn.LayerNorm(8), "do not know layer_norm"),
        (nn.BatchNorm1d(8), "do not know batch_norm in training, which mixes the samples of a batch"),
        (lambda x: x * x, "do not know mul of two activations"),
        (lambda x: x * x.relu(), "do not know mul of two activations"),
        (lambda x: x + x.unsqueeze(1).matmul(x.unsqueeze(2)).flatten(1), "do not know matmul of two activations"),
        (lambda x: 1 / (1 + x.abs()), "do not know rdiv"),
        (lambda x: torch.ones(1) / x, "do not know div as it is used here"),
        (lambda x: x.div(0.5, rounding_mode="floor"), "do not know div that rounds"),
        (into_a_part, "a tensor that shares memory with one that was changed in place"),
        (lambda x: x + x.max(), "do not know max across the batch"),
        (lambda x: x.sort(0)[0], "do not know sort across the batch"),
        (lambda x: x[:2].sum() * x, "do not know getitem across the batch"),
        (lambda x: x - x.mean(0), "do not know mean across the batch"),
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


def test_all_obstacles_are_named_once_and_nothing_that_follows_from_them() -> None:
    layers = [nn.LayerNorm(8), nn.ReLU(), nn.Sigmoid(), nn.Sigmoid()]
    engine = choose(Calls(nn.Sequential(*layers)), SHAPE)
    assert engine.reason == "the three sweeps do not know layer_norm, sigmoid"


class Float32(nn.Module):
    """A critic that insists on its own precision."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(32, 8), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        assert self.first.weight.dtype == torch.float32
        out: Tensor = self.last(self.first(x.to(torch.float32).flatten(1)).relu())
        return out


def test_a_critic_that_cannot_be_run_in_float64_is_proven_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose(Float32(), SHAPE).reason is None
    monkeypatch.setattr(Leaky, "again", lambda self, given, rows, scale: given)
    assert choose(Float32(), SHAPE).reason == (
        "the critic is not piecewise linear: the three sweeps give another gradient"
    )


def test_a_part_that_the_value_does_not_depend_on_is_no_obstacle_unless_it_changes_what_is_used() -> None:
    assert choose(Calls(lambda x: (x.sigmoid().softmax(1), x.relu())[1]), SHAPE).reason is None
    changed = Calls(lambda x: ((y := x * 1.0), y.view(-1, 4, 2).tanh_(), y)[2])
    assert choose(changed, SHAPE).reason == "the three sweeps do not know tanh_"


def test_an_older_spectral_norm_that_moves_at_each_pass_gets_three_sweeps() -> None:
    critic = nn.Sequential(nn.Flatten(), nn.Linear(32, 8), nn.ReLU(), nn.Linear(8, 1))
    nn.utils.spectral_norm(critic[1])
    assert choose(critic, SHAPE).reason is None


def unseen(x: Tensor) -> Tensor:
    with torch._C.DisableTorchFunction():
        return x.tanh()


@pytest.mark.parametrize("hidden", [torch.func.vmap(torch.tanh), unseen])
def test_a_part_that_torch_functions_do_not_see_is_found_though_it_is_faded_out(hidden: object) -> None:
    faded = Calls(lambda x: x.relu() + 0.0 * hidden(x))  # type: ignore[operator]  # a function
    assert choose(faded, SHAPE).reason == (
        "the three sweeps do not know a part that torch functions do not see (vmap, a compiled or scripted function …)"
    )


def test_noise_is_a_constant_of_each_pass() -> None:
    drawn = Calls(lambda x: (x + np.random.uniform(-1, 1) * torch.randn_like(x)).relu())
    assert choose(drawn, SHAPE).reason is None


def test_a_gradient_that_is_only_rounding_proves_nothing_against_the_sweeps() -> None:
    critic = Calls(lambda x: x - x.mean(1, keepdim=True))  # the bias has no influence
    critic.first.bias.data += 1
    assert choose(critic, SHAPE).reason is None


def test_a_layer_that_drops_a_part_of_the_batch_is_caught_by_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Affine.gradients
    monkeypatch.setattr(Affine, "gradients", lambda self, parts, scale: whole(self, parts[:1], scale))
    assert choose(mlp(nn.ReLU), SHAPE).name == "double-backward"
