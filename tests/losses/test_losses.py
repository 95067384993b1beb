"""Losses on scores."""

import pytest
import torch

from lipbench.interfaces.loss import compares
from lipbench.plugins import registry
from lipbench.plugins.kinds import LOSS
from tests.builtin import loss

REAL, FAKE = torch.tensor([2.0, 0.0]), torch.tensor([-3.0, 1.0])


def test_the_relativistic_loss_has_the_value_of_its_formula_for_critic_and_generator() -> None:
    made = loss("relativistic")
    assert made.critic(REAL, FAKE) == pytest.approx((0.006715 + 1.313262) / 2, abs=1e-5)
    assert made.generator(FAKE, REAL) == pytest.approx((5.006715 + 0.313262) / 2, abs=1e-5)  # type: ignore[call-arg]  # it compares


@pytest.mark.parametrize("name", registry.installed(LOSS))
def test_the_relativistic_loss_alone_compares_in_the_generators_step(name: str) -> None:
    assert compares(loss(name)) == (name == "relativistic")


@pytest.mark.parametrize(
    ("name", "critic", "generator"),
    [
        ("wasserstein", -2.0, 1.0),
        ("hinge", 0.5 + 1.0, 1.0),
        ("logistic", (0.126928 + 0.693147) / 2 + (0.048587 + 1.313262) / 2, (3.048587 + 0.313262) / 2),
    ],
)
def test_each_loss_has_the_value_of_its_formula(name: str, critic: float, generator: float) -> None:
    assert loss(name).critic(REAL, FAKE) == pytest.approx(critic, abs=1e-5)
    assert loss(name).generator(FAKE) == pytest.approx(generator, abs=1e-5)
