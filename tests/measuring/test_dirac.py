"""The Dirac-GAN: what theory says of its training, and a field that leaves no trace."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lipbench.api.running import read_request
from lipbench.measures._dynamics import dynamics
from lipbench.measuring import dirac
from lipbench.train.points import PointTrainer
from lipbench.work.prepare import create

RATE = 0.08
QUICK = {"train__learning_rate": 0.3, "train__generator_learning_rate": 0.3}


@pytest.fixture(autouse=True)
def _few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dirac, "SIDE", 3)


def training(methods: str, **overrides: Any) -> PointTrainer:
    changed = {key.replace("__", "."): value for key, value in overrides.items()}
    (planned,) = read_request(methods, seeds=[0], protocol="dirac", overrides=changed).planned
    made = create(planned.cell, lambda name: planned.sources[name], torch.device("cpu")).training
    assert isinstance(made, PointTrainer)
    return made


def course(made: PointTrainer, steps: int) -> tuple[list[float], list[float]]:
    """θ and ψ from the start on, every fifth step."""
    places = [dirac.place(made)]
    for _ in range(steps // 5):
        made.advance(5)
        places.append(dirac.place(made))
    return [each["theta"] for each in places], [each["psi"] for each in places]


def put(made: PointTrainer, theta: float, psi: float) -> None:
    with torch.no_grad():
        for network, number in ((made.generator, theta), (made.critic, psi)):
            next(network.parameters()).fill_(number)


def test_generator_and_critic_begin_by_the_seed_away_from_the_data() -> None:
    theta, psi = (abs(number) for number in dirac.place(training("none")).values())
    assert 0.5 <= theta <= 1.5
    assert 0.5 <= psi <= 1.5
    assert dirac.place(training("none")) == dirac.place(training("gn"))


def test_a_step_is_gradient_descent_by_the_critic_first_and_then_by_the_generator() -> None:
    made = training("none")
    put(made, 1.25, -0.5)
    losses = made.advance(1)
    psi = -0.5 - RATE * 1.25  # the critic minimises ψ·θ − ψ·0
    theta = 1.25 + RATE * psi  # the generator −ψ·θ
    assert dirac.place(made) == pytest.approx({"theta": theta, "psi": psi}, rel=1e-6)
    assert losses == {
        "critic_loss": [pytest.approx(-0.5 * 1.25)],
        "generator_loss": [pytest.approx(-psi * 1.25)],
    }


def test_alternating_descent_circles_on_an_ellipse_that_it_never_leaves() -> None:
    theta, psi = course(training("none", **QUICK), 200)
    kept = [one * one + other * other - 0.3 * one * other for one, other in zip(theta, psi, strict=True)]
    np.testing.assert_allclose(kept, kept[0], rtol=2e-5)  # of 200 roundings in float32
    assert dynamics(theta, psi) == "cycles"
    assert min(theta) < -0.9 * max(theta) < 0


def test_a_penalty_on_real_gradients_makes_it_converge_to_the_data() -> None:
    theta, psi = course(training("r1[weight=1]", **QUICK), 80)
    assert max(abs(theta[-1]), abs(psi[-1])) < 0.05 * abs(theta[0])
    assert dynamics(theta, psi) == "converges"


def test_under_gradient_normalisation_the_critic_stands_still_and_the_generator_leaves() -> None:
    theta, psi = course(training("gn", **QUICK), 80)
    assert set(psi) == {psi[0]}  # sign(ψ)·x / (1 + |x|) has no slope in ψ
    away = np.diff(theta) * np.sign(psi[0])
    assert (away > 0).all()
    assert abs(theta[-1]) > abs(theta[0])
    assert dynamics(theta, psi) == "diverges"


@pytest.mark.parametrize(("methods", "slope"), [("none", -2.0), ("sn", -1.0), ("gn", -2.0), ("wc[bound=0.1]", -2.0)])
def test_the_slope_is_that_of_the_raw_critic_as_a_method_leaves_it(methods: str, slope: float) -> None:
    made = training(methods)
    put(made, 0.75, -2.0)
    assert dirac.place(made) == pytest.approx({"theta": 0.75, "psi": slope}, abs=1e-6)


def test_a_dirac_gan_is_told_by_its_two_numbers() -> None:
    made = training("none")
    assert dirac.is_dirac(made)
    made.critic.register_parameter("frozen", nn.Parameter(torch.ones(3), requires_grad=False))
    assert dirac.is_dirac(made)
    made.critic.register_parameter("trained", nn.Parameter(torch.ones(1)))
    assert not dirac.is_dirac(made)
    assert not dirac.is_dirac(training("none", architecture="mlp"))


def test_the_field_of_the_bilinear_game_is_one_step_from_everywhere() -> None:
    found = dirac.field(training("none"))
    side = np.linspace(-dirac.REACH, dirac.REACH, dirac.SIDE)
    expected = np.stack(np.meshgrid(side, side, indexing="ij"), axis=2).reshape(-1, 2)
    np.testing.assert_allclose(found["field_from"], expected, atol=1e-6)
    theta, psi = expected.T
    moved = psi - RATE * theta
    np.testing.assert_allclose(found["field_to"], np.stack([theta + RATE * moved, moved], axis=1), atol=1e-6)


def test_the_field_of_a_constrained_critic_is_of_what_is_left_of_its_number() -> None:
    found = dirac.field(training("sn"))
    slopes = found["field_from"][:, 1].reshape(dirac.SIDE, dirac.SIDE)
    np.testing.assert_allclose(slopes, [[-1, np.nan, 1]] * dirac.SIDE, atol=1e-6)  # 0 cannot be normalised
    assert np.array_equal(np.isnan(found["field_to"]).all(axis=1), np.isnan(slopes).ravel())


def test_a_number_that_is_frozen_is_left_alone_in_the_field() -> None:
    made = training("none")
    made.critic = nn.Sequential(nn.PReLU(init=1.0).requires_grad_(False), *made.critic.children())
    made.optimisers["critic"].param_groups[0]["params"] = list(made.critic[2].parameters())
    found = dirac.field(made)
    np.testing.assert_allclose(found["field_from"][:, 1], [-dirac.REACH, 0, dirac.REACH] * 3, atol=1e-6)
    assert made.critic.state_dict()["0.weight"].item() == 1


@pytest.mark.parametrize(
    ("methods", "changes"),
    [
        ("gp", {"train__critic_steps": 2}),
        ("sn+r1", {"train__decay": "linear", "train__steps": 40}),
        ("gn", {"train__optimiser": "adam", "train__betas": [0.5, 0.9]}),
        ("r1[every=3]", {"train__betas": [0.5, 0.0], "train__ema_decay": 0.5}),
    ],
)
def test_asking_for_the_field_changes_nothing_of_the_training(methods: str, changes: dict[str, Any]) -> None:
    asked, other = training(methods, **changes), training(methods, **changes)
    state = torch.get_rng_state()
    for made in (asked, other):
        torch.set_rng_state(state)
        made.advance(4)
    before = deepcopy(asked.state_dict())
    dirac.field(asked)
    torch.testing.assert_close(_numbers(asked), _numbers(other), rtol=0, atol=0)
    after = asked.state_dict()
    assert before.keys() == after.keys()
    assert torch.equal(before["global_random"], after["global_random"])
    assert asked.advance(6) == other.advance(6)
    torch.testing.assert_close(_numbers(asked), _numbers(other), rtol=0, atol=0)


def _numbers(made: PointTrainer) -> dict[str, Any]:
    # The checks of types, which are made in tests alone, draw from Python's numbers.
    return {key: value for key, value in made.state_dict().items() if key != "global_random_python"}


@pytest.mark.parametrize(
    ("methods", "changes"),
    [
        ("none", {"train__optimiser": "adam", "train__betas": [0.5, 0.9]}),
        ("none", {"train__betas": [0.9, 0.0]}),
        ("r1[every=3]", {}),
        ("dragan", {}),
    ],
)
def test_every_place_of_the_field_begins_from_the_present_moments_and_random_numbers(
    methods: str, changes: dict[str, Any]
) -> None:
    made = training(methods, **changes)
    made.advance(3)
    found, state = dirac.field(made), deepcopy(made.state_dict())
    for row in (0, 5, 8):
        made.load_state_dict(deepcopy(state))
        put(made, *found["field_from"][row])
        made.advance(1)
        assert list(dirac.place(made).values()) == found["field_to"][row].tolist()


def test_where_a_step_diverges_the_field_has_no_number_and_all_others_stand() -> None:
    made = training("none", train__learning_rate=1e-3, train__optimiser="adam", train__betas=[0.5, 0.9])
    work = made.work

    def spoilt(*given: torch.Tensor) -> torch.Tensor:
        losses = work(*given)
        return losses * torch.nan if dirac.place(made)["theta"] > 1 else losses

    made.work = spoilt  # type: ignore[method-assign]  # spoiled on purpose
    found = dirac.field(made)
    far = found["field_from"][:, 0] > 1
    assert 0 < far.sum() < len(far)
    assert np.isnan(found["field_to"][far]).all()
    assert np.isfinite(found["field_to"][~far]).all()
