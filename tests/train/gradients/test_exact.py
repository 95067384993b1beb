"""Three sweeps give the gradients of double backward."""

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.parametrizations import orthogonal, spectral_norm

from lipbench.nets import MaxMin as Sorted
from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.gradients.terms import Term
from lipbench.train.gradients.three_sweeps import ThreeSweeps
from tests.builtin import networks


class MaxMin(nn.Module):
    """Anil et al. 2019, arXiv:1811.05381: channels in pairs, the larger first."""

    def forward(self, x: Tensor) -> Tensor:
        first, second = x.chunk(2, dim=1)
        return torch.cat([torch.maximum(first, second), torch.minimum(first, second)], dim=1)


class Functional(nn.Module):
    """A critic written with functions: a residual sum, pooling and upsampling, slices, means."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1, groups=2)
        self.shortcut, self.last = nn.Conv2d(6, 6, 1, bias=False), nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.leaky_relu(self.first(x), 0.2)
        y = self.second(x).relu() * 0.5
        x = self.shortcut(nn.functional.avg_pool2d(x, 2)) - nn.functional.avg_pool2d(y, 2)
        x = nn.functional.interpolate(x, scale_factor=2, mode="nearest")
        x = torch.cat([x[:, :3], -x[:, 3:]], 1)
        x += y
        out: Tensor = self.last(nn.functional.pad(x, (1, 0, 0, 1)).mean((2, 3)) / 2)
        return out.squeeze(1)


def mlp(activation: type[nn.Module]) -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(32, 24), activation(), nn.Linear(24, 16), activation(), nn.Linear(16, 1)
    )


def constrained(critic: nn.Module, constraint: Callable[[nn.Module], object] | None) -> nn.Module:
    if constraint is not None:
        for layer in list(critic.modules()):
            if isinstance(layer, nn.Conv2d | nn.Linear):
                constraint(layer)
    return critic.double()


def resnet_32() -> nn.Module:
    return networks("resnet-32", (3, 32, 32), 8)[1]


def cnn_32() -> nn.Module:
    critic = networks("cnn-32", (3, 32, 32), 8)[1]
    for weight in critic.parameters():  # steeper than it starts
        weight.data *= 2
    return critic


def score(value: Tensor, norm: Tensor) -> Tensor:
    return (value / (norm + value.abs() + 1e-12)).sin().mean()


def assert_equal_gradients(critic: nn.Module, terms: list[Term], tolerance: float = 1e-12) -> None:
    made = []
    for engine in (DoubleBackward(), ThreeSweeps()):
        copy = deepcopy(critic)
        losses = engine.accumulate(copy, terms)
        loss, at_points = engine.at_points(copy, terms[0].points, terms[0].objective, needs_grad_norm=True)
        weights = [torch.zeros_like(w) if w.grad is None else w.grad for w in copy.parameters()]
        made.append([torch.stack([*losses, loss]), at_points, *weights])
    for wanted, found in zip(*made, strict=True):
        scale = max(float(wanted.abs().max()), 1e-3)  # absolute where the gradient is zero
        assert float((wanted - found).abs().max()) <= tolerance * scale


@pytest.mark.parametrize("constraint", [None, spectral_norm])
@pytest.mark.parametrize(
    ("critic", "shape"),
    [
        (cnn_32, (3, 32, 32)),
        (resnet_32, (3, 32, 32)),
        (lambda: mlp(MaxMin), (2, 4, 4)),
        (lambda: mlp(Sorted), (2, 4, 4)),
        (Functional, (2, 4, 4)),
    ],
)
def test_normalisation_penalties_and_values_together(
    critic: Callable[[], nn.Module], shape: tuple[int, int, int], constraint: Callable[[nn.Module], object] | None
) -> None:
    real_fake = torch.randn(4, *shape, dtype=torch.float64)
    between = torch.randn(2, *shape, dtype=torch.float64)
    terms = [
        Term(real_fake, score),
        Term(real_fake, lambda value, norm: norm.square().mean(), rows=slice(0, 2)),
        Term(between, lambda value, norm: (norm - 1).square().mean()),
        Term(between.clone(), lambda value, norm: value.exp().mean(), needs_grad_norm=False),
    ]
    assert_equal_gradients(constrained(critic(), constraint), terms)


def test_weights_under_an_orthogonal_parametrisation() -> None:
    points = torch.randn(4, 2, 4, 4, dtype=torch.float64)
    assert_equal_gradients(constrained(mlp(MaxMin), orthogonal), [Term(points, score)])


@pytest.mark.parametrize("rows", [slice(0, 2), slice(1, 3), slice(2, None), slice(None), slice(4, 2), slice(2, 2)])
def test_a_penalty_on_a_part_of_the_batch_or_on_none_of_it(rows: slice) -> None:
    points = torch.randn(4, 2, 4, 4, dtype=torch.float64)
    terms = [
        Term(points, lambda value, norm: value.sin().sum(), needs_grad_norm=False),
        Term(points, lambda value, norm: norm.square().sum(), rows=rows),
    ]
    assert_equal_gradients(Functional().double(), terms)


def test_hooks_on_weights_see_their_gradients() -> None:
    critic = mlp(nn.ReLU).double()
    seen: list[Tensor] = []
    critic[1].weight.register_hook(lambda gradient: seen.append(gradient) or 2 * gradient)
    points = torch.randn(4, 2, 4, 4, dtype=torch.float64)
    made = []
    for engine in (DoubleBackward(), ThreeSweeps()):
        critic.zero_grad()
        engine.accumulate(critic, [Term(points, score)])
        made.append(critic[1].weight.grad)
    torch.testing.assert_close(*made)
    torch.testing.assert_close(*seen)
    assert len(seen) == 2


@st.composite
def critics(draw: st.DrawFn) -> nn.Module:
    """A random piecewise linear critic for points of (2, 4, 4)."""
    torch.manual_seed(draw(st.integers(0, 10_000)))
    width = draw(st.sampled_from([2, 4, 6]))
    layers: list[nn.Module] = [nn.Conv2d(2, width, 3, padding=1, bias=draw(st.booleans()))]
    for _ in range(draw(st.integers(0, 3))):
        activation = st.sampled_from([nn.ReLU(), nn.LeakyReLU(0.3), MaxMin(), nn.ReLU(inplace=True)])
        layers += [draw(activation), nn.Conv2d(width, width, draw(st.sampled_from([1, 3])), padding="valid")]
        if isinstance(layers[-1], nn.Conv2d):
            layers[-1].padding = (layers[-1].kernel_size[0] // 2,) * 2
    pooled = draw(st.booleans())
    layers += [nn.AdaptiveAvgPool2d(2 if pooled else 4), nn.Flatten(), nn.Linear(width * (4 if pooled else 16), 1)]
    return nn.Sequential(*layers).double()


@given(
    critic=critics(),
    count=st.integers(1, 5),
    powers=st.tuples(st.integers(0, 3), st.integers(1, 3)),
    scale=st.floats(0.01, 10),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60)
def test_random_critics_points_and_objectives(
    critic: nn.Module, count: int, powers: tuple[int, int], scale: float, seed: int
) -> None:
    points = scale * torch.randn(count, 2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))

    def objective(value: Tensor, norm: Tensor) -> Tensor:
        weights = torch.arange(1, len(value) + 1)
        return (weights * value.tanh() ** powers[0] * norm ** powers[1]).sum() + value.sum() * norm.sum()

    assert_equal_gradients(critic, [Term(points, objective)], tolerance=1e-11)


def test_a_dead_critic_gets_a_gradient_from_its_value_alone_and_no_nan() -> None:
    critic = mlp(nn.ReLU).double()
    for weight in critic.parameters():
        nn.init.constant_(weight, -1.0)
    nn.init.zeros_(critic[1].weight)
    points = torch.randn(3, 2, 4, 4, dtype=torch.float64)
    assert_equal_gradients(critic, [Term(points, lambda value, norm: (value + (norm - 1).square()).mean())])
    ThreeSweeps().accumulate(critic, [Term(points, score)])
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in critic.parameters())
