"""What a critic really does."""

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from lipbench.measure.critic import gradient_norms, interpolate, score_norms, settled


def halves() -> nn.Module:
    """Slope 3 on the positive side, slope 1 on the negative one."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        net[1].weight.copy_(torch.tensor([[1.0], [-1.0]]))
        net[3].weight.copy_(torch.tensor([[3.0, -1.0]]))
    return net


POINTS = torch.tensor([-2.0, -1.0, 1.0, 2.0]).reshape(4, 1, 1, 1)


def test_norms_of_a_two_piece_function_are_its_slopes() -> None:
    score, raw = score_norms(halves(), lambda value, norm: value, POINTS, needs_grad_norm=False)
    assert raw.tolist() == [1, 1, 3, 3]
    assert torch.equal(score, raw)


def test_the_score_is_measured_as_the_losses_see_it() -> None:
    score, raw = score_norms(halves(), lambda value, norm: value / norm, POINTS, needs_grad_norm=True)
    assert score.tolist() == pytest.approx([1, 1, 1, 1])
    assert raw.tolist() == [1, 1, 3, 3]


def test_a_smooth_critics_score_is_differentiated_through_the_norm() -> None:
    class Square(nn.Module):
        def forward(self, points: torch.Tensor) -> torch.Tensor:
            return points.flatten(1).square().sum(1)

    score, _ = score_norms(Square(), lambda value, norm: value * norm, POINTS, needs_grad_norm=True)
    assert score.tolist() == pytest.approx([24, 6, 6, 24])  # of 2|x|³


def test_pooled_numbers_take_each_place_alike() -> None:
    places = {"real": POINTS[:2], "fake": POINTS[2:]}
    record = gradient_norms(halves(), lambda value, norm: value, places, needs_grad_norm=False)
    assert record["grad_norm_real_mean"] == record["raw_grad_norm_real_max"] == 1
    assert record["grad_norm_fake_p95"] == 3
    assert record["grad_norm_mean"] == 2
    assert record["grad_norm_max"] == 3


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
