"""Copies of networks."""

from copy import deepcopy
from typing import TypeVar

from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


def copied(network: Network) -> Network:
    """A copy that shares nothing with the network.

    A weight that the network makes anew at each pass and keeps as an attribute (spectral normalisation as many projects
    write it) has a history after a pass, and no tensor with a history can be copied as it is.
    """
    made = [thing for module in network.modules() for thing in vars(module).values() if isinstance(thing, Tensor)]
    memo = {id(thing): thing.detach().clone() for thing in made if not thing.is_leaf}
    return deepcopy(network, memo)
