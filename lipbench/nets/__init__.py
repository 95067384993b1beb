"""Generators and critics: every architecture by name, or a function in the user's own file.

An architecture is a function ``make(image_shape, latent_dim) -> (generator, critic)``: the generator maps
(n, latent_dim) to (n, c, h, w) in [−1, 1], the critic (n, c, h, w) to (n,) or (n, 1).
"""

from collections.abc import Callable
from importlib import import_module

from torch import nn

from lipbench.errors import UnknownNameError

Make = Callable[[tuple[int, int, int], int], tuple[nn.Module, nn.Module]]

ARCHITECTURES = {
    "cnn-8": "lipbench.nets.cnn8:make",
    "cnn-32": "lipbench.nets.cnn:make_32",
    "cnn-48": "lipbench.nets.cnn:make_48",
    "mlp": "lipbench.nets.mlp:make",
    "resnet-32": "lipbench.nets.resnet:make_32",
    "resnet-48": "lipbench.nets.resnet:make_48",
}


def find(name: str) -> Make:
    """The architecture of this name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in ARCHITECTURES:
        raise UnknownNameError("architecture", name, ARCHITECTURES, "One of your own is named ./nets.py:make.")
    module, function = ARCHITECTURES[name].split(":")
    make: Make = getattr(import_module(module), function)
    return make
