"""The plugin interface: how a critic is kept Lipschitz.

A method says *what* it does with the critic's value f(x) and the norm of its input gradient ‖∇f(x)‖₂;
how these are differentiated is the training engine's business.
"""

from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lipbench.interfaces.plugin import Plugin


class Method(Plugin):
    """How a critic is kept Lipschitz. Every hook does nothing unless overridden.

    Annotated fields are hyper-parameters, set by name on the command line: a field ``weight: float = 10.0`` of a
    method in ``gp.py`` is ``gp[weight=1]`` there. A field's type is one of int, float, bool and str.

    Attributes:
        guarantee: what the method promises.
        recommended: settings of the method's authors by dotted key, such as ``{"train.critic_steps": 5}``; used only
            under ``--settings recommended``. They may set the loss, what begins with ``train.``, and the method's own
            parameters: ``parameters.weight``.
        control: says of a method without hooks that it is meant to change nothing.
        every: adds `penalty` and `regulariser` at each `every`-th critic step alone, multiplied by `every`.
    """

    guarantee: ClassVar[Literal["none", "soft", "almost everywhere", "layerwise", "certified"]] = "none"
    recommended: ClassVar[dict[str, Any]] = {}
    control: ClassVar[bool] = False
    _spellings: ClassVar[dict[str, str]] = {"regularizer": "regulariser"}
    every: int = 1

    @property
    def lipschitz_target(self) -> float:
        """The Lipschitz constant at which the score aims, by which the report judges it; 1 unless overridden."""
        return 1.0

    def constrain(self, critic: nn.Module) -> nn.Module:
        """Return the critic, Lipschitz by construction; called once, before the optimiser exists.

        `lipbench.matrices` lists what there is to constrain.
        """
        return critic

    def project(self, critic: nn.Module) -> None:
        """Change the weights in place after every critic update, without gradients."""

    def score(self, value: Float[Tensor, " n"], grad_norm: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Return what the losses, the generator and every measurement see in place of the raw value."""
        return value

    def penalty_points(
        self, real: Float[Tensor, "n c h w"], fake: Float[Tensor, "n c h w"], rng: torch.Generator
    ) -> Float[Tensor, "m c h w"] | None:
        """Return where `penalty` is taken; `rng` lies on the device of `real`."""
        return None

    def penalty(self, value: Float[Tensor, " m"], grad_norm: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """Return what is added to the critic's loss, from the raw critic at `penalty_points`."""
        return value.new_zeros(())

    def regulariser(
        self,
        critic: nn.Module,
        real: Float[Tensor, "n c h w"],
        fake: Float[Tensor, "n c h w"],
        rng: torch.Generator,
    ) -> Float[Tensor, ""]:
        """Return anything else that is added to the critic's loss; differentiated by plain autograd."""
        return real.new_zeros(())


def overrides(method: Method, hook: str) -> bool:
    """Whether the class of `method` defines `hook` itself rather than inheriting the one that does nothing."""
    return getattr(type(method), hook) is not getattr(Method, hook)
