"""The plugin interface for losses: what critic and generator minimise, on scores."""

from inspect import signature

from jaxtyping import Float
from torch import Tensor

from lipbench.interfaces.plugin import Plugin


class Loss(Plugin):
    """What critic and generator minimise. Annotated fields are parameters, set by name: ``hinge[margin=2]``."""

    def critic(self, real: Float[Tensor, " n"], fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """Return what the critic minimises, from its scores of real and fake points."""
        raise NotImplementedError

    def generator(self, fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """Return what the generator minimises, from the critic's scores of its points.

        A loss that defines ``generator(self, fake, real)`` gets those of as many real points, too, as constants: which
        costs a pass of the critic more.
        """
        raise NotImplementedError


def compares(loss: Loss) -> bool:
    """Whether the loss of the generator takes the scores of real points, too."""
    return "real" in signature(loss.generator).parameters
