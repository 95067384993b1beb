"""What a critic really does."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from lipbench.measuring.critic import (
    NotExactError,
    NotFiniteError,
    examine,
    interpolate,
    is_function,
    measure,
    not_measurable,
    settled,
)
from lipbench.measuring.functions import Score
from lipbench.train.copies import copied
from lipbench.train.gradients.terms import values
from lipbench.train.gradients.three_sweeps import ThreeSweeps
from lipbench.train.mixing import mixer
from tests.methods.test_methods import create


def halves() -> nn.Module:
    """Slope 3 on the positive side, slope 1 on the negative one."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        net[1].weight.copy_(torch.tensor([[1.0], [-1.0]]))
        net[3].weight.copy_(torch.tensor([[3.0, -1.0]]))
    return net


POINTS = torch.tensor([-2.0, -1.0, 1.0, 2.0]).reshape(4, 1, 1, 1)
PLACES = {"real": POINTS[:2], "fake": POINTS[2:]}
KINDS = ("mean", "p50", "p95", "max")
normalised = create("gn").score


def norms(critic: nn.Module, score: Score | None) -> list[float]:
    """The score's gradient norm at each of `POINTS`."""
    record = measure(critic, score, {str(row): POINTS[row : row + 1] for row in range(4)})
    return [record[f"grad_norm_{row}_max"] for row in range(4)]


def test_norms_of_a_two_piece_function_are_its_slopes() -> None:
    assert norms(halves(), None) == [1, 1, 3, 3]
    assert norms(halves(), lambda value, norm: value) == [1, 1, 3, 3]


def test_the_score_is_measured_as_the_losses_see_it_and_the_raw_critic_beside_it() -> None:
    assert norms(halves(), lambda value, norm: value / norm) == pytest.approx([1, 1, 1, 1])
    record = measure(halves(), lambda value, norm: value / norm, {"all": POINTS})
    assert record["raw_grad_norm_mean"] == 2
    assert record["raw_grad_norm_max"] == 3


class Square(nn.Module):
    def forward(self, points: Tensor) -> Tensor:
        return points.flatten(1).square().sum(1)


def test_a_smooth_critics_score_is_differentiated_through_the_norm() -> None:
    assert norms(Square(), lambda value, norm: value * norm) == pytest.approx([24, 6, 6, 24])  # of 2|x|³


def test_pooled_numbers_take_each_place_alike() -> None:
    record = measure(halves(), lambda value, norm: value, PLACES)
    assert record["grad_norm_real_mean"] == record["raw_grad_norm_real_max"] == 1
    assert record["grad_norm_fake_p95"] == 3
    assert record["grad_norm_mean"] == 2
    assert record["grad_norm_max"] == 3


def test_secants_are_taken_between_points_of_all_places() -> None:
    record = measure(halves(), lambda value, norm: -value / norm, PLACES)
    assert record["secant_pairs"] == pytest.approx(1, rel=1e-5)
    assert record["raw_secant_pairs"] == pytest.approx(3, rel=1e-5)
    crossing = measure(halves(), lambda value, norm: norm, {"real": POINTS[1:2], "fake": POINTS[2:3]})
    assert crossing["secant_pairs"] == pytest.approx(1, rel=1e-5)  # from slope 1 to 3 over a distance of 2


@pytest.mark.parametrize("score", [None, normalised])
def test_without_a_score_of_its_own_a_critic_is_its_own_score(score: Score | None) -> None:
    settled_, shared = halves(), {"segments": 2, "more": {"noise": POINTS}}
    record = measure(settled_, score, PLACES) | examine(settled_, score, PLACES, **shared)
    of_score = {key: value for key, value in record.items() if not key.startswith("raw_")}
    assert all((record[f"raw_{key}"] == value) == (score is None) for key, value in of_score.items() if value > 1e-9)


@pytest.mark.parametrize("score", [None, normalised])
@pytest.mark.parametrize("engine", [None, ThreeSweeps()])
def test_both_measurements_have_all_their_names(score: Score | None, engine: ThreeSweeps | None) -> None:
    found = measure(halves(), score, PLACES, engine)
    names = {f"grad_norm{place}_{kind}" for place in ("", "_real", "_fake") for kind in KINDS} | {"secant_pairs"}
    assert found.keys() == names | {f"raw_{name}" for name in names}
    full = examine(halves(), score, PLACES, {"noise": POINTS}, 2, engine)
    names = {f"grad_norm_noise_{kind}" for kind in KINDS} | {f"secant_{at}" for at in ("1", "0.1", "0.01", "0.001")}
    names |= {"secant_max", "secant_pairs", "tv_gap"}
    assert full.keys() == names | {f"raw_{name}" for name in names}
    assert all(isinstance(value, float) for value in (found | full).values())


def test_an_examination_finds_what_no_gradient_norm_shows() -> None:
    moved = {"real": POINTS[:2] - 0.03, "fake": POINTS[2:] + 0.05}
    steps = examine(halves(), lambda value, norm: norm, moved, {"all": POINTS}, 2)
    assert steps["grad_norm_all_max"] == 0
    assert steps["secant_0.001"] == pytest.approx(2000)
    assert steps["secant_max"] == steps["secant_0.001"]
    assert steps["tv_gap"] == pytest.approx(1)
    assert steps["raw_secant_max"] == pytest.approx(3)
    assert steps["raw_tv_gap"] < 0.02


def test_an_examination_leaves_the_critic_in_its_precision() -> None:
    critic = halves()
    examine(critic, normalised, PLACES, {}, 2)
    assert {weight.dtype for weight in critic.parameters()} == {torch.float32}


class Single(nn.Module):
    """Insists on float32."""

    def forward(self, points: Tensor) -> Tensor:
        return nn.functional.linear(points.flatten(1).float(), torch.ones(1, 1))


def test_a_critic_that_cannot_be_measured_exactly_says_so() -> None:
    with pytest.raises(NotExactError, match="cannot be run in float64"):
        examine(Mixed(), None, PLACES, {}, 2)
    assert examine(Single(), None, PLACES, {}, 2)["secant_1"] == pytest.approx(1)


class Mixed(nn.Module):
    """Has a weight in the precision of nobody."""

    def forward(self, points: Tensor) -> Tensor:
        return points.flatten(1) @ torch.ones(1, 1)


def test_a_score_that_is_not_finite_in_the_search_is_refused() -> None:
    def score(value: Tensor, norm: Tensor) -> Tensor:
        return value * (torch.nan if value.dtype == torch.float64 else 1)

    measure(halves(), score, PLACES)
    with pytest.raises(NotFiniteError, match="secant_1 is not finite"):
        examine(halves(), score, PLACES, {}, 2)


class Spoilt(nn.Module):
    """Not a number where the points are positive."""

    def forward(self, points: Tensor) -> Tensor:
        value = points.flatten(1).sum(1)
        return value + torch.where(value > 0, torch.nan, 0.0)


@pytest.mark.parametrize("score", [None, normalised])
def test_values_that_are_not_finite_are_counted(score: Score | None) -> None:
    with pytest.raises(ValueError, match="the critic at 2 of 4 points is not finite"):
        measure(Spoilt(), score, PLACES)


def test_a_value_a_sample_may_have_further_dimensions_of_1() -> None:
    assert measure(nn.Conv2d(1, 1, 1), None, PLACES)["grad_norm_max"] > 0


class Iterating(nn.Module):
    """Spectral normalisation as many projects write it: a power iteration at each pass, in evaluation, too."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(8, 4))
        self.u = nn.Parameter(torch.randn(8), requires_grad=False)
        self.last = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        v = nn.functional.normalize(self.weight.detach().T @ self.u, dim=0)
        self.u.data = nn.functional.normalize(self.weight.detach() @ v, dim=0)
        out: Tensor = self.last((x.flatten(1) @ (self.weight / (self.u @ self.weight @ v)).T).relu())
        return out


def test_a_critic_that_iterates_at_each_pass_is_held_and_one_that_draws_is_no_function() -> None:
    torch.manual_seed(0)
    points = torch.randn(6, 1, 2, 2)
    critic = settled(Iterating())
    assert is_function(critic, points)
    for copy in (critic, copied(critic).double()):
        some = points.to(copy.weight)
        assert torch.equal(values(copy, some), values(copy, some))
    noisy = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(4, 1))
    assert not is_function(noisy, points)


def test_a_coin_for_a_whole_batch_is_no_function_either() -> None:
    class Flipped(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if torch.rand(()) < 0.5 else x.flip(3)

    torch.manual_seed(0)
    assert not is_function(nn.Sequential(Flipped(), nn.Flatten(), nn.Linear(4, 1)), torch.randn(6, 1, 2, 2))


def test_a_critic_that_mixes_samples_in_evaluation_is_not_measured_and_one_that_does_so_in_training_is() -> None:
    class Deviation(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([x, x.std(0).mean().expand(len(x), 1)], 1)

    points, layers = torch.randn(6, 1, 2, 2), [nn.Flatten(), nn.Linear(4, 4)]
    deviating = nn.Sequential(*layers, Deviation(), nn.Linear(5, 1)).eval()
    found = mixer(deviating, points, training=False)
    assert found == "a Deviation, layer '2'"
    assert f"in eval mode, too (by {found})" in str(not_measurable(deviating, points, found))
    normalised = nn.Sequential(*layers, nn.BatchNorm1d(4), nn.Linear(4, 1))
    assert mixer(normalised, points) == "a BatchNorm1d, layer '2'"
    assert mixer(normalised, points, training=False) is None


def test_a_settled_copy_has_the_true_norm_and_leaves_the_critic_as_it_was() -> None:
    critic = nn.Sequential(spectral_norm(nn.Linear(6, 6)))
    with torch.no_grad():
        critic[0].parametrizations.weight.original.mul_(torch.arange(1.0, 7.0))  # the buffers are stale now
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    copy = settled(critic)
    assert not copy.training
    assert critic.training
    assert torch.linalg.matrix_norm(copy[0].weight, 2) == pytest.approx(1, abs=1e-2)
    assert torch.equal(copy[0].weight, copy[0].weight)  # it stands still
    torch.testing.assert_close(critic.state_dict(), before, rtol=0, atol=0)


def test_interpolated_points_are_the_same_for_the_same_stream() -> None:
    real, fake = torch.zeros(4, 1, 2, 2), torch.ones(4, 1, 2, 2)
    draws = [interpolate(real, fake, torch.Generator().manual_seed(1)) for _ in range(2)]
    assert torch.equal(*draws)
    assert ((draws[0] >= 0) & (draws[0] <= 1)).all()
