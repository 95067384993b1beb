"""A critic whose weights get no gradient for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen(critic: nn.Module) -> Iterator[None]:
    """Spare the weights' gradients inside the block."""
    trained = [weight for weight in critic.parameters() if weight.requires_grad]
    for weight in trained:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in trained:
            weight.requires_grad_(True)
