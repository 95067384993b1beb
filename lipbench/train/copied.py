"""A copy of a network, whatever its ``forward`` leaves behind in it."""

from copy import deepcopy

from torch import Tensor, nn


def copied(network: nn.Module) -> nn.Module:
    """A deep copy, of a network that keeps activations or computed weights as attributes, too.

    Such tensors have a history, and torch does not copy them; a copy computes them anew at its next pass.
    """
    kept = (thing for layer in network.modules() for thing in vars(layer).values())
    memo = {id(thing): thing.detach().clone() for thing in kept if isinstance(thing, Tensor) and not thing.is_leaf}
    return deepcopy(network, memo)
