"""Known answers for the methods that ask the critic itself."""

import pytest
import torch
from torch import nn

from tests.methods.test_methods import create, linear, piecewise


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(("weights", "penalty"), [([1.0, -2.0, 2.0], 100 * 4), ([0.5, 0.0, 0.0], 0)])
def test_the_adversarial_penalty_of_a_linear_critic_is_that_of_its_slope(weights: list[float], penalty: float) -> None:
    real, fake = torch.randn(2, 5, 3, 1, 1)
    found = create("alp").regulariser(linear(torch.tensor(weights)), real, fake, rng())
    assert found.item() == pytest.approx(penalty, rel=1e-4)


def test_the_adversarial_penalty_is_never_above_that_of_the_largest_slope() -> None:
    critic = piecewise()
    real, fake = 3 * torch.randn(2, 16, 1, 4, 4)
    with torch.no_grad():
        for weight in critic.parameters():
            weight.mul_(3)
    norms = [
        float(torch.linalg.matrix_norm(layer.weight.detach(), 2)) for layer in critic if isinstance(layer, nn.Linear)
    ]
    kernel = 9 * float(critic[0].weight.detach().flatten(1).norm())  # each pixel is seen nine times
    found = create("alp", weight=1.0).regulariser(critic, real, fake, rng()).item()
    assert 0 < found <= (kernel * norms[0] * norms[1] - 1) ** 2


@pytest.mark.parametrize("name", ["alp", "ct"])
def test_a_dead_critic_is_not_punished_and_has_finite_gradients(name: str) -> None:
    critic = piecewise()
    with torch.no_grad():
        for weight in critic.parameters():
            weight.zero_()
    found = create(name).regulariser(critic, *torch.randn(2, 4, 1, 4, 4), rng())
    found.backward()  # type: ignore[no-untyped-call]  # torch is typed in part
    assert found == 0
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in critic.parameters())


def test_the_consistency_of_one_unit_is_that_of_two_coins() -> None:
    """A unit of size 1 is 0 or 1/(1 − ½) = 2: two passes differ by 2 in half of all samples, in f = 3h by 6."""
    critic = nn.Sequential(nn.Flatten(), nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))
    with torch.no_grad():
        for weight, value in zip(critic.parameters(), (1.0, 0.0, 3.0, 5.0), strict=True):
            weight.fill_(value)
    real = torch.ones(20_000, 1, 1, 1)
    found = create("ct").regulariser(critic, real, real, rng())
    assert found.item() == pytest.approx(2 * 0.5 * (6**2 + 0.1 * 2**2), rel=0.03)


def test_without_dropped_units_there_is_nothing_to_be_consistent_about() -> None:
    found = create("ct", dropout=1e-9).regulariser(piecewise(), *torch.randn(2, 4, 1, 4, 4), rng())
    assert found == 0


def test_the_generated_samples_do_not_enter_the_consistency_term() -> None:
    critic, real = piecewise(), torch.randn(4, 1, 4, 4)
    one, two = (
        create("ct").regulariser(critic, real, fake, rng()) for fake in (real, torch.full_like(real, torch.nan))
    )
    assert one == two > 0
