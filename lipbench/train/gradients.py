"""The one place where the critic is differentiated with respect to its input.

Callers say what to evaluate and what to minimise, as functions of the critic's value and gradient norm; how the
gradients come about is decided here. Today it is double backward: the input gradient is itself differentiated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

Objective = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Term:
    """Something that the critic minimises.

    Attributes:
        points: where the critic is evaluated, (n, c, h, w).
        objective: a number from the raw values and gradient norms at the points, (n,) each.
        needs_grad_norm: False where the objective ignores the norms: they are then zero, and cost nothing.
        rows: the part of the points that the objective sees.
    """

    points: Tensor
    objective: Objective
    needs_grad_norm: bool = True
    rows: slice = field(default_factory=lambda: slice(None))


def values(critic: nn.Module, points: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """The critic's raw values.

    Raises:
        ValueError: the critic does not give one number a sample.
    """
    out = critic(points)
    if out.shape not in ((len(points),), (len(points), 1)):
        raise ValueError(
            f"the critic gives {tuple(out.shape)} for {len(points)} samples; "
            f"expected one number a sample, ({len(points)},) or ({len(points)}, 1)"
        )
    flat: Tensor = out.reshape(-1)
    return flat


def values_and_norms(
    critic: nn.Module, points: Float[Tensor, "n c h w"], *, differentiable: bool = False
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Values and gradient norms of the raw critic.

    Args:
        critic: one that treats each sample by itself.
        points: where to evaluate; gradients reach them only where they already require some.
        differentiable: whether the norms can be differentiated in their turn.
    """
    points = points if points.requires_grad else points.detach().requires_grad_()
    with torch.enable_grad():
        value = values(critic, points)
        (gradient,) = torch.autograd.grad(value.sum(), points, create_graph=differentiable, retain_graph=differentiable)
    # vector_norm has gradient 0 at 0, where the square root of a sum of squares has NaN.
    norm = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return value if differentiable else value.detach(), norm


def accumulate(
    critic: nn.Module, terms: Sequence[Term], regulariser: Callable[[], Tensor] | None = None
) -> list[Float[Tensor, ""]]:
    """Add the gradient of the sum of all terms to the parameters' ``.grad``.

    A term whose points *are* those of an earlier term (the same tensor) shares its pass.

    Args:
        critic: the critic, in training mode.
        terms: what is minimised.
        regulariser: gives one more summand, by plain autograd.

    Returns:
        The terms' values, and the regulariser's at the end if there is one; detached.
    """
    # Under a parametrisation (spectral norm), the weight is made once a step: each access would move its buffers.
    with parametrize.cached():
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
    critic: nn.Module, points: Float[Tensor, "n c h w"], objective: Objective, *, needs_grad_norm: bool
) -> tuple[Float[Tensor, ""], Float[Tensor, "n c h w"]]:
    """The objective and its gradient with respect to the points; the critic's parameters get none.

    The generator's step: ``fake.backward(gradient)`` carries it on.
    """
    points = points.detach().requires_grad_()
    trained = [weight for weight in critic.parameters() if weight.requires_grad]
    for weight in trained:
        weight.requires_grad_(False)
    try:
        loss = objective(*_evaluate(critic, points, with_norms=needs_grad_norm))
        (gradient,) = torch.autograd.grad(loss, points)
    finally:
        for weight in trained:
            weight.requires_grad_(True)
    return loss.detach(), gradient


def _evaluate(critic: nn.Module, points: Tensor, *, with_norms: bool) -> tuple[Tensor, Tensor]:
    if with_norms:
        return values_and_norms(critic, points, differentiable=True)
    value = values(critic, points)
    return value, torch.zeros_like(value)
