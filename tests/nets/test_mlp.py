"""Perceptrons for points, and the activation of orthogonal ones."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lipbench.nets import MaxMin
from lipbench.train.mixing import check_independent
from tests.builtin import networks


def count(net: nn.Module) -> int:
    return sum(weight.numel() for weight in net.parameters())


@pytest.mark.parametrize(
    ("dim", "critic", "generator"), [(2, 17_025, 17_154), (16, 18_817, 20_752), (128, 99_073, 131_712)]
)
def test_they_have_as_many_parameters_as_the_benchmarks(dim: int, critic: int, generator: int) -> None:
    pair = networks("mlp", (dim, 1, 1), dim)
    assert [count(net) for net in pair] == [generator, critic]


@pytest.mark.parametrize(
    ("shape", "width"), [((1, 1, 1), 128), ((64, 1, 1), 128), ((65, 1, 1), 130), ((128, 1, 1), 256), ((1, 8, 8), 128)]
)
def test_hidden_layers_are_twice_as_wide_as_the_points_but_at_least_128(
    shape: tuple[int, int, int], width: int
) -> None:
    for net in networks("mlp", shape, 5):
        first, second, last = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
        assert (first.out_features, second.in_features, second.out_features, last.in_features) == (width,) * 4


@pytest.mark.parametrize("shape", [(2, 1, 1), (1, 8, 8), (3, 4, 4)])
def test_latents_become_points_and_points_one_number(shape: tuple[int, int, int]) -> None:
    generator, critic = networks("mlp", shape, 7)
    points = generator(torch.randn(5, 7))
    assert points.shape == (5, *shape)
    assert points.abs().max() <= 1
    assert critic(points).shape == (5, 1)
    check_independent(critic, points)


def test_maxmin_puts_the_larger_of_each_pair_first() -> None:
    sorted_ = MaxMin()(torch.tensor([[1.0, 2.0, 5.0, -3.0], [0.0, 0.0, -1.0, 7.0]]))
    assert sorted_.tolist() == [[2, 1, 5, -3], [0, 0, 7, -1]]


@given(st.integers(0, 2**31), st.integers(1, 8), st.sampled_from([(), (3, 2)]))
def test_maxmin_keeps_the_norm_of_values_and_of_gradients(seed: int, pairs: int, space: tuple[int, ...]) -> None:
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(4, 2 * pairs, *space, generator=rng, requires_grad=True)
    weights = torch.randn(x.shape, generator=rng)
    out = MaxMin()(x)
    (gradient,) = torch.autograd.grad((weights * out).sum(), x)
    assert out.shape == x.shape
    torch.testing.assert_close(out.flatten(1).norm(dim=1), x.flatten(1).norm(dim=1))
    torch.testing.assert_close(gradient.flatten(1).norm(dim=1), weights.flatten(1).norm(dim=1))


def test_maxmin_refuses_an_odd_number_of_units() -> None:
    with pytest.raises(ValueError, match="MaxMin got 3 units; expected an even number"):
        MaxMin()(torch.zeros(2, 3))
