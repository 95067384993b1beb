"""What of a user's network would go wrong without a word, in training, in a copy, or when a run goes on."""

from typing import Any

import torch
from torch import Tensor, nn

from lipbench.errors import RequestError
from lipbench.launch.listener import Listener
from lipbench.train.copies import copied, nearby
from lipbench.train.gradients.tape import leaves
from lipbench.train.streams import generator, seeded

STREAM = "trial of networks"


def check_network(network: nn.Module, what: str, given: Tensor, listener: Listener) -> None:
    """See that all that a network computes with is trained, copied and saved.

    Args:
        network: it is left as it is; it can be run.
        what: ``generator`` or ``critic``.
        given: a few latents or points.
        listener: is told what is only to be known.

    Raises:
        RequestError: a weight is not its own, or none is trained.
    """
    if not any(weight.requires_grad for weight in network.parameters()):
        raise RequestError(f"the {what} has no weight that is trained: expected one with requires_grad=True")
    first = next(network.parameters())
    moved, copy = nearby(network, generator(0, STREAM), first.dtype), copied(network)
    before = _numbers(copy)
    with seeded(0, STREAM):
        out = copy(given)
    with seeded(0, STREAM), torch.no_grad():
        other = moved(given)
    if torch.equal(out, other):
        raise RequestError(
            f"a copy of the {what} with other weights gives the same: it computes with those of the original, so "
            f"averages and measurements would be of something else; expected no function that is kept as an attribute "
            f"(self.run = lambda x: self.layer(x)): write it as a method"
        )
    own = {id(weight) for weight in copy.parameters()}
    strange = [leaf for leaf in leaves(out) if id(leaf) not in own and leaf is not given]
    if strange:
        shapes = ", ".join(" × ".join(map(str, leaf.shape)) or "a number" for leaf in strange[:3])
        more = ", …" if len(strange) > 3 else ""
        raise RequestError(
            f"the {what} computes with {len(strange)} weights ({shapes}{more}) that belong to none of its modules, so "
            f"they would be neither trained nor saved; expected layers as attributes, in nn.ModuleList or "
            f"nn.Sequential, and weights in nn.Parameter"
        )
    changed = sorted(name for name, value in _numbers(copy).items() if value != before.get(name, value))
    if changed:
        listener.noted(
            f"The {what} changes {', '.join(changed)} at each pass, which no checkpoint holds: a run that is "
            f"interrupted goes on with the value from the start; expected a buffer: self.register_buffer(…)."
        )


def _numbers(network: nn.Module) -> dict[str, Any]:
    """The plain numbers that are attributes of its modules."""
    return {
        f"{path}.{name}".removeprefix("."): value
        for path, module in network.named_modules()
        for name, value in vars(module).items()
        if isinstance(value, int | float) and name != "training"
    }
