"""What trained critics do: the difference between a bounded gradient and a bounded secant."""

from typing import Any

import pytest
import torch

from lipbench.request.plan import plan
from lipbench.work.prepare import create

pytestmark = pytest.mark.slow


def examined(methods: str, data: str = "w1", steps: int = 1000, **changes: Any) -> dict[str, Any]:
    """All that is measured of a critic at the end of its training."""
    overrides = {"train.batch_size": 256, "train.learning_rate": 1e-3, "evaluate.transport_points": 1024, **changes}
    (planned,) = plan(methods, data, [0], "w1", overrides)
    job = create(planned.cell, planned.sources.__getitem__, torch.device("cpu"))
    job.training.advance(steps)
    return job.evaluate(final=True)[0]


def test_gradient_normalisation_jumps_although_its_gradients_are_below_1() -> None:
    found = examined("gn")
    assert found["grad_norm_max"] <= 1 + 1e-5
    assert found["secant_0.001"] > 50
    assert found["secant_0.001"] > 3 * found["secant_0.01"]
    assert found["tv_gap"] > 0.01
    assert found["raw_tv_gap"] < 0.01


@pytest.mark.parametrize("methods", ["gp", "sn"])
def test_other_critics_are_no_steeper_between_points_than_at_them(methods: str) -> None:
    found = examined(methods)
    assert found["secant_0.001"] < 1.5
    assert found["secant_max"] == pytest.approx(found["grad_norm_max"], rel=0.25)
    assert found["tv_gap"] < 0.01


def test_certified_critics_are_nowhere_steeper_than_1() -> None:
    found = examined("ortho")
    assert found["secant_max"] <= 1 + 1e-5
    assert found["grad_norm_max"] <= 1 + 1e-5


@pytest.mark.parametrize("methods", ["gp", "lp", "ortho"])
def test_a_trained_critic_points_along_a_shift_and_estimates_its_length(methods: str) -> None:
    found = examined(methods, "gauss-shift[shift=2]", steps=500)
    assert found["cos"] > 0.95
    assert found["w1_estimate"] == pytest.approx(2, rel=0.15)
