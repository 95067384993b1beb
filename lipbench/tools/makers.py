"""What makes a critic: a function or class in a user's own file, or a shared network."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lipbench.errors import LipbenchError, PluginError, RequestError
from lipbench.plugins import registry
from lipbench.plugins.explain import explain
from lipbench.plugins.importing import import_file
from lipbench.request.named import read_architecture
from lipbench.tools.critics import Flat, Shape, runs
from lipbench.train.copies import copied
from lipbench.train.streams import seeded
from lipbench.work.parts import find_architecture

LATENT = 128  # numbers in a latent of a generator that nobody asks for
SIDES = (32, 64, 28, 48, 128, 256, 16, 8)  # of usual pictures, the most usual first
GIVEN = ("image_shape", "latent_dim")
CURE = "write a function that gives the critic and fixes all else: def make(): return Critic(…)"


@dataclass(frozen=True)
class Maker:
    """Makes one critic.

    Attributes:
        name: as it was asked for.
        function: gives it, or a pair of which it is the second.
        takes: how many of `GIVEN` the function is called with.
        shape: the one for which the network is meant, where its name says so.
        files: the user's own files.
    """

    name: str
    function: Callable[..., Any]
    takes: int
    shape: Shape | None = None
    files: Mapping[Path, Path] = field(default_factory=dict)

    def make(self, shape: Shape, seed: int) -> nn.Module:
        """The critic for points of this shape.

        Raises:
            RequestError: the function raises anything, or gives something else.
        """
        given = (shape, LATENT)[: self.takes]
        try:
            with seeded(seed, "critic init"):
                made = self.function(*given)
        except LipbenchError:
            raise
        except Exception as error:  # whatever the user's code raises
            call = f"{self.name}({', '.join(map(str, given))})"
            raise PluginError(f"{call} fails: {explain(error, self.files)}; expected a critic: {CURE}") from error
        critic = made[1] if isinstance(made, tuple | list) and len(made) == 2 else made
        if not isinstance(critic, nn.Module):
            kind = "nothing (None)" if made is None else f"a {type(critic).__name__}"
            raise PluginError(
                f"{self.name} gives {kind}; expected a torch.nn.Module, or a pair with one in second place"
            )
        return critic


def find_maker(text: str) -> Maker:
    """What makes the critic that is asked for.

    Args:
        text: ``./critic.py:make``, or the name of a shared network.

    Raises:
        RequestError: there is no such file, function or network.
    """
    if text.endswith(".py"):
        raise RequestError(f"{text!r} names no function; expected the one that gives the critic: {text}:make")
    resolved = read_architecture(text)
    files = {path: path for path in resolved.sources.values()}
    locate = resolved.sources.__getitem__
    name = resolved.part.name.partition(":")[2]
    if not name:
        side = resolved.part.name.rpartition("-")[2]
        shape = (1 if side == "8" else 3, int(side), int(side)) if side.isdecimal() else None
        return Maker(text, find_architecture(resolved.part, locate), len(GIVEN), shape, files)
    module = import_file(*registry.unchanged(resolved.part, locate))
    found = getattr(module, name, None)
    if isinstance(found, nn.Module):
        return Maker(text, lambda: copied(found), 0, files=files)
    if not callable(found):
        known = [each for each, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        raise PluginError(
            f"there is no function or class {name!r} in {text.rpartition(':')[0]!r}; expected one of those that it "
            f"defines: {', '.join(known) or 'none'}"
        )
    return Maker(text, found, _taken(text, found), files=files)


def usual_shape(maker: Maker, seed: int) -> Shape:
    """A usual shape of points that the critic takes.

    Raises:
        RequestError: it takes none of them.
    """
    if maker.shape is not None:
        return maker.shape
    if maker.takes:
        return 3, SIDES[0], SIDES[0]
    critic = maker.make((3, SIDES[0], SIDES[0]), seed).eval()
    for shape in _usual(critic):
        if any(runs(net, torch.zeros(2, *shape)) for net in (critic, Flat(critic))):
            return shape
    raise RequestError(
        f"critic {maker.name} takes none of the usual shapes of points, or needs more than points; expected the shape, "
        f"--shape 3,32,32, and a forward(self, x) that gives one number a sample"
    )


def _usual(critic: nn.Module) -> list[Shape]:
    for layer in critic.modules():
        if isinstance(layer, nn.Conv2d) and layer.in_channels:
            return [(layer.in_channels, side, side) for side in SIDES]
        if isinstance(layer, nn.Linear) and layer.in_features:
            return [(layer.in_features, 1, 1)]
    return [(channels, side, side) for channels in (3, 1) for side in SIDES]


def _taken(text: str, function: Callable[..., Any]) -> int:
    """How many of `GIVEN` a function is called with.

    Raises:
        PluginError: it needs others.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # a builtin without a signature
        return 0
    parameters = [
        each for each in signature.parameters.values() if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    needed = [each for each in parameters if each.default is each.empty]
    if len(needed) > len(GIVEN) or any(each.kind is each.KEYWORD_ONLY for each in needed):
        raise PluginError(
            f"{text} takes {signature}; expected one that is called without arguments, as (image_shape) or as "
            f"(image_shape, latent_dim): {CURE}"
        )
    names = [each.name for each in parameters[: len(GIVEN)]]
    offered = next((count for count in (2, 1) if tuple(names[:count]) == GIVEN[:count]), 0)
    return max(len(needed), offered)
