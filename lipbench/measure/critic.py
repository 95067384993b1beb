"""What a critic really does: the gradient norms of its score and of the raw critic."""

from collections.abc import Callable
from copy import deepcopy

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

from lipbench.train.gradients.terms import values_and_norms

Score = Callable[[Tensor, Tensor], Tensor]

SETTLING = 30  # power iterations: enough for the norm of a layer to stand still


def settled(critic: nn.Module) -> nn.Module:
    """A copy in eval mode whose power iterations have converged; the critic itself is left as it is.

    Spectral norm moves its buffers at each access in training mode, one step behind the weights.
    """
    copy = deepcopy(critic).train()
    parametrized = [layer for layer in copy.modules() if parametrize.is_parametrized(layer)]
    with torch.no_grad():
        for layer in parametrized * SETTLING:
            for name in layer.parametrizations:  # type: ignore[union-attr]  # only parametrized layers are listed
                getattr(layer, name)
    return copy.eval().requires_grad_(False)


def score_norms(
    critic: nn.Module, score: Score, points: Float[Tensor, "n c h w"], *, needs_grad_norm: bool
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Gradient norms of the score and of the raw critic.

    Args:
        critic: one that treats each sample by itself.
        score: of value and gradient norm.
        points: where to measure.
        needs_grad_norm: whether the score is more than the raw value, so that it needs a gradient of its own.
    """
    if not needs_grad_norm:
        norm = values_and_norms(critic, points)[1]
        return norm, norm
    points = points.detach().requires_grad_()
    value, norm = values_and_norms(critic, points, differentiable=True)
    (gradient,) = torch.autograd.grad(score(value, norm).sum(), points)
    return torch.linalg.vector_norm(gradient.flatten(1), dim=1), norm.detach()


def interpolate(
    real: Float[Tensor, "n c h w"], fake: Float[Tensor, "n c h w"], rng: torch.Generator
) -> Float[Tensor, "n c h w"]:
    """One point on each segment from a real to a fake sample."""
    mix = torch.rand(len(real), 1, 1, 1, generator=rng, device=real.device)
    return mix * real + (1 - mix) * fake


def gradient_norms(
    critic: nn.Module, score: Score, places: dict[str, Float[Tensor, "n c h w"]], *, needs_grad_norm: bool
) -> dict[str, float]:
    """Mean, 95th percentile and maximum of the gradient norms: place by place, and pooled over all.

    Args:
        critic: a settled copy.
        score: of value and gradient norm.
        places: points by name, as many at each.
        needs_grad_norm: as for `score_norms`.

    Returns:
        ``grad_norm_mean`` and the like of all points pooled, ``grad_norm_real_mean`` of one place; the same with
        ``raw_`` before it for the raw critic.
    """
    measured = {
        name: score_norms(critic, score, points, needs_grad_norm=needs_grad_norm) for name, points in places.items()
    }
    record: dict[str, float] = {}
    for index, prefix in enumerate(("grad_norm", "raw_grad_norm")):
        norms = {f"_{name}": pair[index] for name, pair in measured.items()}
        for name, values in {"": torch.cat(list(norms.values())), **norms}.items():
            record[f"{prefix}{name}_mean"] = float(values.mean())
            record[f"{prefix}{name}_p95"] = float(values.quantile(0.95))
            record[f"{prefix}{name}_max"] = float(values.max())
    return record
