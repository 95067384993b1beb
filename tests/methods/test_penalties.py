"""Known answers for the methods that punish slopes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lipbench.train.composition import Composition
from tests.methods.test_methods import create

NORMS = torch.tensor([0.0, 0.5, 1.0, 3.0])


@pytest.mark.parametrize(("norm", "penalty"), [(1.0, 0.0), (3.0, 40.0), (0.0, 0.0), (0.999, 0.0)])
def test_the_lipschitz_penalty_punishes_what_exceeds_1_alone(norm: float, penalty: float) -> None:
    assert create("lp").penalty(torch.zeros(5), torch.full((5,), norm)) == pytest.approx(penalty)


def test_it_draws_the_same_points_as_the_gradient_penalty() -> None:
    real, fake = torch.randn(6, 1, 2, 2), torch.randn(6, 1, 2, 2)
    one, two = (create(name).penalty_points(real, fake, torch.Generator().manual_seed(3)) for name in ("gp", "lp"))
    assert one is not None
    assert two is not None
    assert torch.equal(one, two)


@given(st.lists(st.floats(0, 100, width=32), min_size=1, max_size=8))
def test_it_never_punishes_more_than_the_gradient_penalty_and_as_much_above_1(norms: list[float]) -> None:
    norm, value = torch.tensor(norms), torch.zeros(len(norms))
    one_sided, two_sided = (create(name).penalty(value, norm) for name in ("lp", "gp"))
    assert 0 <= one_sided <= two_sided
    torch.testing.assert_close(
        create("lp").penalty(value, norm.clamp_min(1)), create("gp").penalty(value, norm.clamp_min(1))
    )


@pytest.mark.parametrize("weight", [10.0, 1.0])
def test_r1_is_half_the_weighted_mean_square(weight: float) -> None:
    assert create("r1", weight=weight).penalty(torch.zeros(4), NORMS) == pytest.approx(weight / 2 * 10.25 / 4)


def test_r1_is_taken_at_the_real_samples_in_the_pass_that_is_made_anyway() -> None:
    batch = torch.randn(6, 1, 2, 2)
    (term,) = Composition((create("r1"),)).penalties(batch, 3, 0, torch.Generator())
    assert term.points is batch
    assert range(6)[term.rows] == range(3)


@pytest.mark.parametrize("name", ["gp", "lp", "r1"])
def test_a_penaltys_weight_is_its_factor(name: str) -> None:
    one, seven = (create(name, weight=weight).penalty(torch.zeros(4), NORMS) for weight in (1.0, 7.0))
    assert seven == pytest.approx(7 * one)
