"""Known answers for the methods that punish slopes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lipbench import Method
from lipbench.train.composition import Composition
from lipbench.train.gradients.terms import values_and_norms
from tests.methods.test_methods import create, linear

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


@pytest.mark.parametrize("name", ["gp", "lp", "r1", "r2", "r1r2", "dragan", "zero_gp", "max_gp", "wgan_div"])
def test_a_penaltys_weight_is_its_factor(name: str) -> None:
    one, seven = (create(name, weight=weight).penalty(torch.zeros(4), NORMS) for weight in (1.0, 7.0))
    assert seven == pytest.approx(7 * one)


def on_a_linear_critic(method: Method) -> float:
    """The penalty where ‖∇f‖ = 3 everywhere."""
    rng = torch.Generator().manual_seed(0)
    points = method.penalty_points(torch.randn(5, 3, 1, 1), torch.randn(5, 3, 1, 1), rng)
    assert points is not None
    return float(method.penalty(*values_and_norms(linear(torch.tensor([1.0, -2.0, 2.0])), points)))


@pytest.mark.parametrize(
    ("name", "parameters", "penalty"),
    [
        ("gp", {}, 10 * 4),
        ("lp", {}, 10 * 4),
        ("r1", {}, 10 / 2 * 9),
        ("r2", {}, 10 / 2 * 9),
        ("r1r2", {}, 10 / 2 * (9 + 9)),
        ("r1r2", {"weight": 0.05}, 0.05 / 2 * (9 + 9)),
        ("dragan", {}, 10 * 4),
        ("zero_gp", {}, 10 * 9),
        ("max_gp", {}, 10 * 9),
        ("wgan_div", {}, 2 * 3**6),
        ("wgan_div", {"power": 2.0, "weight": 1.0}, 9),
    ],
)
def test_on_a_critic_of_slope_3_each_penalty_is_a_closed_number(
    name: str, parameters: dict[str, float], penalty: float
) -> None:
    assert on_a_linear_critic(create(name, **parameters)) == pytest.approx(penalty, rel=1e-5)


def test_r2_is_taken_at_the_generated_samples_in_the_pass_that_is_made_anyway() -> None:
    batch = torch.randn(6, 1, 2, 2)
    (term,) = Composition((create("r2"),)).penalties(batch, 3, 0, torch.Generator())
    assert term.points is batch
    assert range(6)[term.rows] == range(3, 6)


def test_r1r2_is_the_sum_of_both() -> None:
    norms = torch.tensor([0.5, 2.0, 1.0, 3.0])  # of two real and two generated samples
    one, two = (
        create(name).penalty(torch.zeros(2), part) for name, part in zip(("r1", "r2"), norms.split(2), strict=True)
    )
    torch.testing.assert_close(create("r1r2").penalty(torch.zeros(4), norms), one + two)


def test_the_maximum_penalty_sees_the_steepest_point_alone() -> None:
    norm = NORMS.clone().requires_grad_()
    create("max_gp").penalty(torch.zeros(4), norm).backward()  # type: ignore[no-untyped-call]  # torch is typed in part
    assert norm.grad is not None
    assert norm.grad.tolist() == [0, 0, 0, 10 * 2 * 3]


def test_wgan_div_has_no_gradient_where_the_critic_is_flat() -> None:
    norm = torch.zeros(3, requires_grad=True)
    create("wgan_div").penalty(torch.zeros(3), norm).backward()  # type: ignore[no-untyped-call]  # torch is typed in part
    assert norm.grad is not None
    assert not norm.grad.any()


def test_dragan_goes_up_from_real_samples_alone_by_at_most_half_the_batchs_standard_deviation() -> None:
    real = torch.randn(200, 1, 4, 4)
    points = create("dragan").penalty_points(real, torch.full_like(real, torch.nan), torch.Generator().manual_seed(0))
    assert points is not None
    moved = (points - real) / real.std(correction=0)
    assert 0 <= moved.min() < 1e-2
    assert 0.45 < moved.max() <= 0.5
    assert moved.mean() == pytest.approx(0.5 / 4, abs=0.02)
    assert moved.flatten(1).mean(1).std() > 0.05  # one number a sample says how far


@pytest.mark.parametrize("name", ["zero_gp", "max_gp", "wgan_div", "ct"])
def test_the_penalties_between_real_and_fake_draw_the_points_of_gp(name: str) -> None:
    real, fake = torch.randn(6, 1, 2, 2), torch.randn(6, 1, 2, 2)
    one, two = (create(each).penalty_points(real, fake, torch.Generator().manual_seed(3)) for each in ("gp", name))
    assert one is not None
    assert two is not None
    assert torch.equal(one, two)


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("wgan_div", {"power": 1.0}, "power must be greater than 1"),
        ("alp", {"shortest": 2.0, "longest": 1.0}, "longest at least shortest"),
        ("ct", {"dropout": 1.0}, "dropout must lie between 0 and 1"),
        ("ct", {"weight": -1.0}, "weight must not be negative"),
    ],
)
def test_parameters_without_sense_are_refused(name: str, parameters: dict[str, float], expected: str) -> None:
    with pytest.raises(Exception, match=expected):
        create(name, **parameters)
