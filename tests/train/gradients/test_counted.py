"""What each engine costs, counted in operations rather than timed."""

import gc
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from lipbench.measuring.counters import MemoryCounter, OperationCounter
from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.gradients.terms import Engine, Term
from lipbench.train.gradients.three_sweeps import ThreeSweeps
from tests.builtin import networks

BATCH = 2
REAL_FAKE, BETWEEN = torch.randn(2 * BATCH, 3, 32, 32), torch.randn(BATCH, 3, 32, 32)


def score(value: Tensor, norm: Tensor) -> Tensor:
    return (value / (norm + value.abs() + 1e-12)).mean()


def penalty(value: Tensor, norm: Tensor) -> Tensor:
    return (norm - 1).square().mean()


PLAIN = Term(REAL_FAKE, lambda value, norm: value.mean(), needs_grad_norm=False)
STEPS = {
    "plain": [PLAIN],
    "gn": [Term(REAL_FAKE, score)],
    "gp": [PLAIN, Term(BETWEEN, penalty)],
    "r1": [PLAIN, Term(REAL_FAKE, penalty, rows=slice(0, BATCH))],
}


@pytest.fixture(params=["cnn-32", "resnet-32"], scope="module")
def critic(request: pytest.FixtureRequest) -> nn.Module:
    return networks(request.param, (3, 32, 32), 8)[1]


def operations(work: Callable[[], object]) -> int:
    with OperationCounter() as counter:
        work()
    return counter.total


def forwards(critic: nn.Module, work: Callable[[], object]) -> float:
    """In forward passes of the critic over real and fake samples."""
    return operations(work) / operations(lambda: critic(REAL_FAKE))


def step(critic: nn.Module, engine: Engine, name: str) -> float:
    return forwards(critic, partial(engine.accumulate, critic, STEPS[name]))


def test_the_counter_knows_a_convolution_and_its_gradients() -> None:
    layer = nn.Conv2d(3, 8, 3, padding=1)
    x = torch.randn(2, 3, 16, 16, requires_grad=True)
    once = 2 * 2 * 8 * 16 * 16 * 3 * 9
    assert operations(lambda: layer(x)) == once
    assert operations(lambda: layer(x).sum().backward()) == 3 * once


def test_a_step_under_gradient_normalisation_takes_four_forwards_instead_of_six(critic: nn.Module) -> None:
    assert step(critic, DoubleBackward(), "gn") == pytest.approx(6, abs=0.01)
    assert step(critic, ThreeSweeps(), "gn") <= 4.05


def test_a_gradient_penalty_costs_two_thirds_of_a_plain_step_beside_it(critic: nn.Module) -> None:
    plain = step(critic, DoubleBackward(), "plain")
    assert plain == pytest.approx(3, abs=0.02)
    assert step(critic, DoubleBackward(), "gp") / plain == pytest.approx(2, abs=0.02)
    assert step(critic, ThreeSweeps(), "gp") / plain <= 1.70


def test_a_penalty_on_real_samples_shares_the_pass_that_is_made_anyway(critic: nn.Module) -> None:
    plain = step(critic, DoubleBackward(), "plain")
    assert step(critic, DoubleBackward(), "r1") / plain == pytest.approx(2, abs=0.02)
    assert step(critic, ThreeSweeps(), "r1") / plain <= 1.25


def test_a_plain_step_costs_the_same_by_both(critic: nn.Module) -> None:
    assert step(critic, ThreeSweeps(), "plain") == step(critic, DoubleBackward(), "plain")


@pytest.mark.parametrize(("engine", "most"), [(DoubleBackward(), 5.01), (ThreeSweeps(), 2.05)])
def test_the_generators_step_needs_two_passes_of_the_critic(critic: nn.Module, engine: Engine, most: float) -> None:
    found = forwards(critic, lambda: engine.at_points(critic, REAL_FAKE, score, needs_grad_norm=True))
    assert found <= most


@pytest.mark.parametrize("engine", [DoubleBackward(), ThreeSweeps()])
@pytest.mark.parametrize("name", STEPS)
def test_nothing_but_the_gradients_is_alive_after_a_step(critic: nn.Module, engine: Engine, name: str) -> None:
    critic.zero_grad(set_to_none=True)
    gc.disable()  # what only the collector of circles would free counts as alive
    try:
        with MemoryCounter() as memory:
            engine.accumulate(critic, STEPS[name])
        gradients = sum(weight.grad.nbytes for weight in critic.parameters() if weight.grad is not None)
        assert memory.alive() == gradients
    finally:
        gc.enable()


@pytest.mark.parametrize("name", ["gn", "gp", "r1"])
def test_three_sweeps_never_need_more_memory_at_once(critic: nn.Module, name: str) -> None:
    peaks = []
    for engine in (ThreeSweeps(), DoubleBackward()):
        critic.zero_grad(set_to_none=True)
        with MemoryCounter() as memory:
            engine.accumulate(critic, STEPS[name])
        peaks.append(memory.peak)
    assert peaks[0] <= peaks[1]
