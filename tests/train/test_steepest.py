"""Secants in the direction in which a critic changes most."""

import torch
from torch import Tensor, nn

from lipbench.train.steepest import steepest
from tests.methods.test_methods import linear


def test_of_a_linear_critic_every_secant_has_its_slope() -> None:
    critic = linear(torch.tensor([3.0, -4.0]))
    found = steepest(critic, torch.randn(6, 2, 1, 1), 10.0, (0.1, 10.0), torch.Generator().manual_seed(0))
    torch.testing.assert_close(found, torch.full((6,), 5.0))


def test_secants_are_as_long_as_asked_and_their_numbers_come_from_the_generator() -> None:
    seen = []

    class Watched(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x.detach())
            return x.flatten(1).square().sum(1)

    points, state = torch.randn(500, 2, 1, 1), torch.get_rng_state()
    steepest(Watched(), points, 10.0, (0.1, 10.0), torch.Generator().manual_seed(0))
    points, others = seen[-1].chunk(2)
    lengths = (others - points).flatten(1).norm(dim=1)
    assert 0.1 <= lengths.min() < 0.3
    assert 9.8 < lengths.max() < 10 + 1e-4
    assert torch.equal(torch.get_rng_state(), state)


def test_where_the_critic_is_flat_the_secant_is_0() -> None:
    critic = linear(torch.zeros(2))
    found = steepest(critic, torch.randn(6, 2, 1, 1), 10.0, (0.1, 10.0), torch.Generator().manual_seed(0))
    assert torch.equal(found, torch.zeros(6))
