"""The engine for piecewise linear critics: exact gradients in four forward-equivalents where double backward takes six.

Inside a linear piece the signal δ = ∂f/∂(a layer's output) depends on the masks alone. For an objective L(f, n) of
value and gradient norm n = ‖∇f‖, with a = ∂L/∂f, b = ∂L/∂n and v = ∇f/n for each sample, a layer's gradient is

    ∂L/∂W = δ ⊗ (a·h + b·t)        h: what came into the layer, t: the same for v with masks frozen, without biases

and a·h + b·t is what the input a·x + b·v becomes when it goes forward with masks frozen and biases times a. So: one
pass forward that keeps the masks, one back to the input that keeps every δ, one forward that forms the weights'
gradients as it goes. n is locally constant, so ∂L/∂x = a·∇f.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lipbench.train.gradients.learned import ParameterGradient
from lipbench.train.gradients.tape import Tape
from lipbench.train.gradients.terms import Engine, Objective, Term, frozen, gradient_norm, made_once, per_sample, values


class ThreeSweeps(Engine):
    """Exact where the critic is piecewise linear; `lipbench.train.gradients.choose` proves it before it is used.

    Args:
        dtype: what weights and activations are computed in; None leaves them as they are.
    """

    name = "three-sweep"

    def __init__(self, dtype: torch.dtype | None = None) -> None:
        self.dtype = dtype

    def accumulate(
        self, critic: nn.Module, terms: list[Term], regulariser: Callable[[], Tensor] | None = None
    ) -> list[Float[Tensor, ""]]:
        """See `lipbench.train.gradients.terms.Engine.accumulate`.

        Raises:
            UnsupportedOperation: the critic does something that the sweeps do not know; no gradient has changed yet.
        """
        groups: dict[int, list[Term]] = {}
        for term in terms:
            groups.setdefault(id(term.points), []).append(term)
        losses: dict[int, Tensor] = {}
        found: list[ParameterGradient] = []
        with made_once(critic):
            # The sweeps come first: what they leave is as large as the weights, where a graph holds activations.
            for group in groups.values():
                if any(term.needs_grad_norm for term in group):
                    with torch.autocast(group[0].points.device.type, enabled=False):  # `dtype` says it all
                        measured, gradients = _sweep(critic, group, self.dtype)
                    losses |= dict(zip(map(id, group), measured, strict=True))
                    found += gradients
            plain = []
            for group in groups.values():
                if not any(term.needs_grad_norm for term in group):
                    value = values(critic, group[0].points)
                    zero = torch.zeros_like(value)
                    losses |= {id(term): term.objective(value[term.rows], zero[term.rows]) for term in group}
                    plain += [losses[id(term)] for term in group]
            extra = [] if regulariser is None else [regulariser()]
            roots = [(loss, torch.ones_like(loss)) for loss in plain + extra if loss.requires_grad]
            roots += _add_to_leaves(found)
            if roots:
                torch.autograd.backward([root for root, _ in roots], [seed for _, seed in roots])
        return [loss.detach() for loss in [*(losses[id(term)] for term in terms), *extra]]

    def at_points(
        self, critic: nn.Module, points: Float[Tensor, "n c h w"], objective: Objective, *, needs_grad_norm: bool
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "n c h w"]]:
        """See `lipbench.train.gradients.terms.Engine.at_points`; two passes, whether or not norms are needed."""
        points = points.detach().requires_grad_()
        with frozen(critic), made_once(critic):
            value = values(critic, points)
            (slope,) = torch.autograd.grad(value.sum(), points)
        loss, by_value, _ = _differentiate([Term(points, objective)], value, gradient_norm(slope))
        return loss[0], per_sample(by_value, points) * slope


def _sweep(
    critic: nn.Module, terms: list[Term], dtype: torch.dtype | None
) -> tuple[list[Tensor], list[ParameterGradient]]:
    """The values of terms at the same points, and the gradient of their sum for each weight."""
    points = terms[0].points.detach()
    tape = Tape(points, dtype)
    value = tape.record(critic)
    with torch.no_grad():
        slope = tape.input_gradient()
        norm = gradient_norm(slope)
    losses, by_value, by_norm = _differentiate(terms, value, norm)
    rows = _hull([term.rows for term in terms if term.needs_grad_norm], len(points))
    with torch.no_grad():
        # v = 0 where n = 0: a dead critic gets a gradient from its value alone.
        factor = torch.where(norm > 0, by_norm / norm, 0.0)[rows]
        mixed = per_sample(by_value[rows], points) * points[rows] + per_sample(factor, slope) * slope[rows]
        gradients = tape.parameter_gradients(mixed, rows, by_value)
    return losses, gradients


def _add_to_leaves(found: list[ParameterGradient]) -> list[ParameterGradient]:
    """Add to the weights themselves, without the copy that autograd makes; gives back what has a history or hooks."""
    others = []
    while found:
        weight, gradient = found.pop()
        if not weight.is_leaf or weight._backward_hooks or weight._post_accumulate_grad_hooks:
            others.append((weight, gradient))
        elif weight.grad is None:
            weight.grad = gradient
        else:
            weight.grad += gradient
    return others


def _differentiate(
    terms: list[Term], value: Float[Tensor, " n"], norm: Float[Tensor, " n"]
) -> tuple[list[Tensor], Float[Tensor, " n"], Float[Tensor, " n"]]:
    """The terms' values, detached, and what their sum has as gradients for the critic's values and norms."""
    value, norm = value.detach().requires_grad_(), norm.detach().requires_grad_()
    with torch.enable_grad():
        losses = [term.objective(value[term.rows], norm[term.rows]) for term in terms]
        total = torch.stack(losses).sum()
        by_value, by_norm = (
            torch.autograd.grad(total, (value, norm), materialize_grads=True)
            if total.requires_grad
            else (torch.zeros_like(value), torch.zeros_like(norm))
        )
    return [loss.detach() for loss in losses], by_value, by_norm


def _hull(parts: list[slice], count: int) -> slice:
    """The smallest slice that holds all parts."""
    ends = [(start, stop) for start, stop, _ in (part.indices(count) for part in parts) if stop > start]
    return slice(min(start for start, _ in ends), max(stop for _, stop in ends)) if ends else slice(0, 0)
