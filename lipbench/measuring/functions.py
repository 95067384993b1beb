"""What is measured: a function of points, its values and its gradients."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.gradients.terms import Engine, values, values_and_norms

Score = Callable[[Tensor, Tensor], Tensor]
CHUNK = 2048  # points at once


@dataclass(frozen=True)
class Function:
    """A function of points, (n, c, h, w) → (n,).

    Attributes:
        value: without a graph.
        value_and_gradient: and its gradient, (n, c, h, w).
    """

    value: Callable[[Tensor], Tensor]
    value_and_gradient: Callable[[Tensor], tuple[Tensor, Tensor]]


def of_formula(formula: Callable[[Tensor], Tensor]) -> Function:
    """A function that autograd can differentiate."""

    def value(points: Tensor) -> Float[Tensor, " n"]:
        return torch.cat([formula(part.detach()).detach() for part in points.split(CHUNK)])

    def value_and_gradient(points: Tensor) -> tuple[Float[Tensor, " n"], Float[Tensor, "n c h w"]]:
        found = []
        for part in points.split(CHUNK):
            leaf = part.detach().requires_grad_()
            with torch.enable_grad():
                result = formula(leaf)
                (gradient,) = torch.autograd.grad(result.sum(), leaf)
            found.append((result.detach(), gradient))
        return torch.cat([pair[0] for pair in found]), torch.cat([pair[1] for pair in found])

    return Function(value, value_and_gradient)


def of_critic(critic: nn.Module, score: Score | None, engine: Engine | None = None) -> Function:
    """A critic's score, or its raw values.

    Args:
        critic: one that treats each sample by itself.
        score: of value and gradient norm; None for the raw values.
        engine: differentiates the score; double backward, which is right for any critic, if None.
    """
    if score is None:
        return of_formula(lambda points: values(critic, points))

    def value(points: Tensor) -> Float[Tensor, " n"]:
        return torch.cat([score(*values_and_norms(critic, part)).detach() for part in points.split(CHUNK)])

    def value_and_gradient(points: Tensor) -> tuple[Float[Tensor, " n"], Float[Tensor, "n c h w"]]:
        found = [at_points(critic, score, part, engine) for part in points.split(CHUNK)]
        return torch.cat([each[0] for each in found]), torch.cat([each[1] for each in found])

    return Function(value, value_and_gradient)


def at_points(
    critic: nn.Module, score: Score, points: Float[Tensor, "n c h w"], engine: Engine | None = None
) -> tuple[Float[Tensor, " n"], Float[Tensor, "n c h w"], Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Scores and their gradients, raw values and the norms of their gradients; arguments as of `of_critic`."""
    seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def objective(value: Tensor, norm: Tensor) -> Tensor:
        scored = score(value, norm)
        seen.append((scored.detach(), value.detach(), norm.detach()))
        return scored.sum()

    engine = engine or DoubleBackward()
    _, gradient = engine.at_points(critic, points, objective, needs_grad_norm=True)
    scored, value, norm = seen[-1]
    return scored, gradient, value, norm
