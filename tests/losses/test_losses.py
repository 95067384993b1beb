"""Losses on scores."""

import pytest
import torch

from tests.builtin import loss

REAL, FAKE = torch.tensor([2.0, 0.0]), torch.tensor([-3.0, 1.0])


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
