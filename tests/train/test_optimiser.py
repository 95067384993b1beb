"""Adam by one kernel."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lipbench.train import optimiser

RATE, BETAS = 1e-2, (0.0, 0.9)
LAYOUTS = [torch.contiguous_format, torch.channels_last]


@given(weight=st.sampled_from(LAYOUTS), gradient=st.sampled_from(LAYOUTS), seed=st.integers(0, 99))
def test_an_update_is_adams_however_weights_and_gradients_lie(
    weight: torch.memory_format, gradient: torch.memory_format, seed: int
) -> None:
    rng = torch.Generator().manual_seed(seed)
    start, *slopes = (torch.randn(8, 4, 3, 3, generator=rng) for _ in range(3))
    plain, mine = nn.Parameter(start.clone()), nn.Parameter(start.to(memory_format=weight))
    expected, made = torch.optim.Adam([plain], RATE, BETAS, fused=False), optimiser.make([mine], RATE, BETAS)
    for slope in slopes:
        plain.grad, mine.grad = slope.clone(), slope.to(memory_format=gradient)
        expected.step()
        optimiser.step(made)
    torch.testing.assert_close(mine.detach(), plain.detach(), rtol=1e-5, atol=1e-7)
    assert made.param_groups[0]["fused"]


@given(momentum=st.sampled_from([0.0, 0.5, 0.9]), weight=st.sampled_from(LAYOUTS), gradient=st.sampled_from(LAYOUTS))
def test_an_update_of_plain_gradient_descent_is_that_of_sgd_and_the_first_beta_its_momentum(
    momentum: float, weight: torch.memory_format, gradient: torch.memory_format
) -> None:
    rng = torch.Generator().manual_seed(0)
    start, *slopes = (torch.randn(8, 4, 3, 3, generator=rng) for _ in range(4))
    plain, mine = nn.Parameter(start.clone()), nn.Parameter(start.to(memory_format=weight))
    expected = torch.optim.SGD([plain], RATE, momentum=momentum, fused=False)
    made = optimiser.make([mine], RATE, (momentum, 0.9), "sgd")
    for slope in slopes:
        plain.grad, mine.grad = slope.clone(), slope.to(memory_format=gradient)
        expected.step()
        optimiser.step(made)
    torch.testing.assert_close(mine.detach(), plain.detach(), rtol=1e-6, atol=1e-7)


def test_weights_that_are_a_part_of_a_larger_piece_of_memory_are_updated_one_by_one() -> None:
    whole = torch.ones(4, 6)
    part = nn.Parameter(whole[:, :3])
    made = optimiser.make([part], RATE, BETAS)
    part.grad = torch.ones(4, 3)
    optimiser.step(made)
    assert not made.param_groups[0]["fused"]
    torch.testing.assert_close(part.detach(), torch.full((4, 3), 1 - RATE))
    assert torch.equal(whole[:, 3:], torch.ones(4, 3))


@pytest.mark.parametrize("on_device", [(), ("cpu",)])
@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_a_rate_is_set_where_it_lies_and_survives_a_state(
    kind: str, on_device: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimiser, "GRAPHED", on_device)
    weight = nn.Parameter(torch.ones(3))
    made = optimiser.make([weight], 1.0, BETAS, kind)
    rate = made.param_groups[0]["lr"]
    optimiser.set_rate(made, 0.25)
    assert isinstance(rate, torch.Tensor) == bool(on_device)
    assert float(made.param_groups[0]["lr"]) == 0.25
    assert not on_device or made.param_groups[0]["lr"] is rate
    copy = nn.Parameter(torch.ones(3))
    other = optimiser.make([copy], 1.0, BETAS, kind)
    optimiser.load(other, made.state_dict())
    assert float(other.param_groups[0]["lr"]) == 0.25
    for each, optimised in ((weight, made), (copy, other)):
        each.grad = torch.full((3,), 2.0)
        optimiser.step(optimised)
    # A first step of Adam has the length of the rate, whatever the gradient.
    expected = 1 - 0.25 * (2 if kind == "sgd" else 1)
    torch.testing.assert_close([weight.detach(), copy.detach()], [torch.full((3,), expected)] * 2)
