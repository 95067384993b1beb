"""A critic beside a critic: what holds there by an accident of the start (a dead layer, a gain of 0) is found out."""

import torch
from torch import nn

from lipbench.train.copied import copied


def nearby(critic: nn.Module, rng: torch.Generator, dtype: torch.dtype = torch.float64) -> nn.Module:
    """A copy with weights beside those of the critic, so that a dead one proves something, too.

    Args:
        critic: it is left as it is.
        rng: on the CPU.
        dtype: of the copy's numbers.
    """
    copy = copied(critic).to(dtype)
    with torch.no_grad():
        for weight in copy.parameters():
            if weight.requires_grad:
                noise = torch.randn(weight.shape, generator=rng, dtype=torch.float64).to(weight)
                weight.add_(noise * (0.1 * weight.abs().mean() + 1e-3))
    return copy
