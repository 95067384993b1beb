"""States of a critic for the time of a few passes."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.utils import parametrize


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


@contextmanager
def made_once(critic: nn.Module) -> Iterator[None]:
    """Make the weights under a parametrisation (spectral norm) once, before the block: each access moves their buffers.

    Not when a layer is first reached, as that may be in a checkpointed part, which would find them made when it is
    computed again, and fail.
    """
    with parametrize.cached():
        with torch.autocast(next(critic.parameters()).device.type, enabled=False):
            for layer in critic.modules():
                for name in getattr(layer, "parametrizations", ()):
                    getattr(layer, name)
        yield
