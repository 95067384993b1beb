"""Copies of a network: of the very same, and of one beside it, by which an accident of the start is found out."""

from copy import deepcopy

import torch
from torch import Tensor, nn


def copied(network: nn.Module) -> nn.Module:
    """A deep copy, of a network that keeps activations or computed weights as attributes, too.

    Such tensors have a history, and torch does not copy them; a copy computes them anew at its next pass.
    """
    kept = (thing for layer in network.modules() for thing in vars(layer).values())
    memo = {id(thing): thing.detach().clone() for thing in kept if isinstance(thing, Tensor) and not thing.is_leaf}
    return deepcopy(network, memo)


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
