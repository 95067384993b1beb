"""Known answers for the methods that divide the critic by its slope."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lipbench import Method
from lipbench.train.gradients.terms import gradient_norm, values_and_norms
from tests.methods.test_methods import create, linear, piecewise

SEEDS = st.integers(0, 2**31)


def scored(method: Method, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Score, gradient norm of the score, and that of the raw critic, at random points of a random critic."""
    torch.manual_seed(seed)
    points = torch.randn(16, 1, 4, 4, dtype=torch.double, requires_grad=True)
    value, norm = values_and_norms(piecewise().double(), points, differentiable=True)
    score = method.score(value, norm)
    (gradient,) = torch.autograd.grad(score.sum(), points)
    return score.detach(), gradient_norm(gradient), norm.detach()


@given(SEEDS, st.sampled_from([0.5, 1.0, 10.0, 1000.0]))
def test_inside_a_linear_piece_a_ranged_score_has_slope_1_minus_its_part_of_the_range_squared(
    seed: int, tau: float
) -> None:
    score, slope, _ = scored(create("gn_tau", tau=tau), seed)
    torch.testing.assert_close(slope, (1 - score.abs() / tau).square(), atol=1e-6, rtol=0)
    assert (score.abs() < tau).all()


@given(SEEDS)
def test_inside_a_linear_piece_the_slope_of_gran_depends_on_that_of_the_critic_alone(seed: int) -> None:
    method = create("gran", scale=3.0, epsilon=0.01)
    _, slope, norm = scored(method, seed)
    assert slope.max() <= method.lipschitz_target == 3
    torch.testing.assert_close(slope, 3 * norm.square() / (norm.square() + 0.01), atol=1e-9, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("gn", {}, 2 / 6),
        ("gn_tau", {"tau": 1.0}, 2 / 6),
        ("gn_tau", {}, 10 * 2 / (10 * 4 + 2)),
        ("gn_tau", {"tau": 1e9}, 2 / 4),
        ("gran", {}, 2 * 4 / 16.1),
        ("gran", {"scale": 5.0, "epsilon": 4.0}, 5 * 2 * 4 / 20),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_value_of_2_and_a_slope_of_4_are_scored_by_the_formula(
    name: str, parameters: dict[str, float], expected: float, sign: int
) -> None:
    score = create(name, **parameters).score(torch.tensor([2.0 * sign]), torch.tensor([4.0]))
    assert float(score) == pytest.approx(sign * expected)


def test_the_score_of_a_linear_critic_does_not_depend_on_its_size_under_gradient_normalisation() -> None:
    points = torch.randn(8, 3, 1, 1)
    small, large = linear(torch.tensor([0.1, 0.2, 0.2])), linear(torch.tensor([10.0, 20.0, 20.0]))
    with torch.no_grad():
        small[1].bias.fill_(0.3)
        large[1].bias.fill_(30.0)
    for name in ("gn", "gn_tau"):
        one, two = (create(name).score(*values_and_norms(critic, points)) for critic in (small, large))
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize("name", ["gn", "gn_tau", "gran"])
def test_a_dead_critic_has_score_0_rather_than_nan(name: str) -> None:
    assert torch.equal(create(name).score(torch.zeros(3), torch.zeros(3)), torch.zeros(3))
    assert create(name).score(torch.ones(1), torch.zeros(1)).isfinite().all()
