"""What both engines promise: gradients through values and gradient norms."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.gradients.terms import Engine, Term, values, values_and_norms
from lipbench.train.gradients.three_sweeps import ThreeSweeps


@pytest.fixture(params=[DoubleBackward, ThreeSweeps])
def engine(request: pytest.FixtureRequest) -> Any:
    return request.param()


def critic(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.LeakyReLU(0.1), nn.Linear(8, 1)).double()


def points(count: int = 6) -> Tensor:
    return torch.randn(count, 1, 2, 2, dtype=torch.double)


def grads(net: nn.Module) -> list[Tensor]:
    return [torch.zeros_like(weight) if weight.grad is None else weight.grad.clone() for weight in net.parameters()]


def test_the_gradient_norm_of_a_linear_critic_is_that_of_its_weights() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    with torch.no_grad():
        net[1].weight.copy_(torch.tensor([[1.0, 2.0, 2.0, 4.0]]))
    value, norm = values_and_norms(net, torch.randn(5, 1, 2, 2))
    torch.testing.assert_close(norm, torch.full((5,), 5.0))
    assert not value.requires_grad


def test_the_gradient_of_a_penalty_is_that_of_finite_differences(engine: Engine) -> None:
    net, where = critic(), points()

    def loss() -> float:
        return float((values_and_norms(net, where)[1] - 1).square().mean())

    engine.accumulate(net, [Term(where, lambda value, norm: (norm - 1).square().mean())])
    weight, expected = net[1].weight, grads(net)[0]
    for row, column in [(0, 0), (3, 2), (7, 1)]:
        with torch.no_grad():
            weight[row, column] += 1e-6
            up = loss()
            weight[row, column] -= 2e-6
            down = loss()
            weight[row, column] += 1e-6
        assert (up - down) / 2e-6 == pytest.approx(float(expected[row, column]), abs=1e-6)


def test_terms_add_up_and_their_values_are_given_apart(engine: Engine) -> None:
    first, second = points(), points(3)
    terms = [
        Term(first, lambda value, norm: value.mean(), needs_grad_norm=False),
        Term(second, lambda value, norm: norm.mean()),
    ]
    net = critic()
    together = engine.accumulate(net, terms, lambda: 2 * net[1].weight.sum())
    summed = grads(net)
    parts = []
    for term in terms:
        alone = critic()
        engine.accumulate(alone, [term])
        parts.append(grads(alone))
    for index, total in enumerate(summed):
        extra = 2.0 if index == 0 else 0.0
        torch.testing.assert_close(total, parts[0][index] + parts[1][index] + extra)
    assert len(together) == 3
    assert not together[0].requires_grad


def test_terms_on_the_same_points_share_one_pass_and_see_their_rows(engine: Engine) -> None:
    net, where, passes = critic(), points(), []
    net.register_forward_hook(lambda *_: passes.append(1))
    found = engine.accumulate(
        net,
        [
            Term(where, lambda value, norm: value.sum(), needs_grad_norm=False),
            Term(where, lambda value, norm: norm.sum(), rows=slice(2, None)),
        ],
    )
    assert len(passes) == 1
    torch.testing.assert_close(found[1], values_and_norms(net, where[2:])[1].sum())


def test_a_step_moves_the_power_iteration_of_spectral_norm_once_however_many_passes_it_makes(engine: Engine) -> None:
    nets = []
    for count in (1, 3):
        net = critic()
        spectral_norm(net[1])
        engine.accumulate(net, [Term(points(), lambda value, norm: value.mean()) for _ in range(count)])
        nets.append(net)
    torch.testing.assert_close(nets[0].state_dict(), nets[1].state_dict(), rtol=0, atol=0)


def test_the_generators_gradient_is_that_of_autograd_and_the_critic_gets_none(engine: Engine) -> None:
    net, where = critic(), points()
    loss, gradient = engine.at_points(net, where, lambda value, norm: (value * norm).sum(), needs_grad_norm=True)
    direct = where.clone().requires_grad_()
    value, norm = values_and_norms(net, direct, differentiable=True)
    (expected,) = torch.autograd.grad((value * norm).sum(), direct)
    torch.testing.assert_close(gradient, expected)
    torch.testing.assert_close(loss, (value * norm).sum().detach())
    assert all(weight.grad is None and weight.requires_grad for weight in net.parameters())


def test_a_frozen_weight_stays_frozen(engine: Engine) -> None:
    net = critic()
    net[1].weight.requires_grad_(False)
    engine.at_points(net, points(), lambda value, norm: value.sum(), needs_grad_norm=False)
    assert not net[1].weight.requires_grad


def test_a_critic_that_gives_pictures_is_refused_with_the_shape() -> None:
    with pytest.raises(ValueError, match=r"gives \(6, 1, 2, 2\) for 6 samples; expected one number a sample"):
        values(nn.Identity(), points())


def test_attention_is_differentiated_twice_by_its_plain_kernel() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attend, self.last = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(32, 1)

        def forward(self, x: Tensor) -> Tensor:
            rows = x.view(len(x), 4, 8)
            out: Tensor = self.last(self.attend(rows, rows, rows, need_weights=False)[0].flatten(1))
            return out

    net = Attention()
    DoubleBackward().accumulate(net, [Term(torch.randn(3, 2, 4, 4), lambda value, norm: norm.mean())])
    assert all(grad.isfinite().all() for grad in grads(net))
