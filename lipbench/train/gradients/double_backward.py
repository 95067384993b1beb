"""The engine for every critic: the input gradient is itself differentiated."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lipbench.train.gradients.terms import Engine, Objective, Term, frozen, made_once, values, values_and_norms


class DoubleBackward(Engine):
    """Six forward-equivalents for a step under a gradient norm, for any critic that can be differentiated twice.

    Args:
        reason: why it was chosen; None where it was asked for.
    """

    name = "double-backward"

    def __init__(self, reason: str | None = None) -> None:
        self.reason = reason

    def accumulate(
        self, critic: nn.Module, terms: list[Term], regulariser: Callable[[], Tensor] | None = None
    ) -> list[Float[Tensor, ""]]:
        """See `lipbench.train.gradients.terms.Engine.accumulate`."""
        with made_once(critic):
            needing = {id(term.points) for term in terms if term.needs_grad_norm}
            passes: dict[int, tuple[Tensor, Tensor]] = {}
            losses = []
            for term in terms:
                key = id(term.points)
                if key not in passes:
                    passes[key] = _evaluate(critic, term.points, with_norms=key in needing)
                value, norm = passes[key]
                losses.append(term.objective(value[term.rows], norm[term.rows]))
            if regulariser is not None:
                losses.append(regulariser())
            torch.stack(losses).sum().backward()
        return [loss.detach() for loss in losses]

    def at_points(
        self, critic: nn.Module, points: Float[Tensor, "n c h w"], objective: Objective, *, needs_grad_norm: bool
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "n c h w"]]:
        """See `lipbench.train.gradients.terms.Engine.at_points`."""
        points = points.detach().requires_grad_()
        with frozen(critic):
            loss = objective(*_evaluate(critic, points, with_norms=needs_grad_norm))
            (gradient,) = torch.autograd.grad(loss, points)
        return loss.detach(), gradient


def _evaluate(critic: nn.Module, points: Tensor, *, with_norms: bool) -> tuple[Tensor, Tensor]:
    if with_norms:
        return values_and_norms(critic, points, differentiable=True)
    value = values(critic, points)
    return value, torch.zeros_like(value)
