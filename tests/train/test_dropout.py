"""Dropout for one pass, in critics that have none."""

from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lipbench.errors import RequestError
from lipbench.train.dropout import dropped
from tests.builtin import networks

RATE = 0.5


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


class ByFunction(nn.Module):
    """Written without modules of torch, in place."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Parameter(torch.randn(50, 4)), nn.Parameter(torch.randn(1, 50))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(F.linear(x.flatten(1), self.first).relu_(), self.second)


@pytest.mark.parametrize("name", ["cnn-8", "cnn-32[width=16]", "resnet-32[width=8]", "mlp"])
def test_the_shared_critics_are_dropped_in_part_and_left_as_they_are(name: str) -> None:
    side = {"cnn-8": 8, "mlp": 1}.get(name, 32)
    shape = (3, side, side)
    critic = networks(name, shape, 16)[1]
    before, points = deepcopy(critic.state_dict()), torch.randn(3, *shape)
    plain = critic(points)
    value, features = dropped(critic, points, RATE, rng())
    assert (value.shape, len(features)) == ((3,), 3)
    assert not torch.equal(value, plain[:, 0])
    assert torch.equal(critic(points), plain)
    torch.testing.assert_close(critic.state_dict(), before, rtol=0, atol=0)


def test_a_critic_of_functions_is_dropped_as_well_and_about_as_often_as_asked() -> None:
    _, features = dropped(ByFunction(), torch.ones(400, 4, 1, 1), RATE, rng())
    alive = features[:, features.any(0)]
    assert float((alive == 0).float().mean()) == pytest.approx(RATE, abs=0.02)


def test_the_units_that_remain_are_scaled_up() -> None:
    critic, points = ByFunction(), torch.ones(2, 4, 1, 1)
    whole = F.linear(points.flatten(1), critic.first).relu()
    _, features = dropped(critic, points, 0.2, rng())
    torch.testing.assert_close(features, torch.where(features > 0, whole / 0.8, 0.0))


def test_masks_come_from_the_generator_alone() -> None:
    critic, points, state = ByFunction(), torch.randn(4, 4, 1, 1), torch.get_rng_state()
    one, two = (dropped(critic, points, RATE, rng())[0] for _ in range(2))
    assert torch.equal(one, two)
    assert torch.equal(torch.get_rng_state(), state)


def test_nothing_is_dropped_any_more_after_an_error_in_the_pass() -> None:
    class Failing(ByFunction):
        def forward(self, x: Tensor) -> Tensor:
            super().forward(x)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        dropped(Failing(), torch.ones(2, 4, 1, 1), RATE, rng())
    assert torch.equal(torch.ones(1000).relu(), torch.ones(1000))


def test_a_critic_without_activations_is_refused_with_the_cure() -> None:
    linear = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    with pytest.raises(RequestError, match="0 activations of torch and a linear layer.*such as nn.LeakyReLU"):
        dropped(linear, torch.ones(2, 4, 1, 1), RATE, rng())
