"""Secants in the direction in which a critic changes most."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lipbench.train.gradients.terms import gradient_norm, per_sample, values

TINY = 1e-12  # no length at all: where the critic is flat, there is no direction, and the secant is 0


def steepest(
    critic: nn.Module,
    points: Float[Tensor, "n c h w"],
    xi: float,
    lengths: tuple[float, float],
    rng: torch.Generator,
) -> Float[Tensor, " n"]:
    """The slope of one secant from each point, differentiable in the critic's weights.

    Its direction comes from one power step: the gradient of |f(x + xi · d) − f(x)| by d, at a random d.

    Args:
        critic: (n, c, h, w) → (n,) or (n, 1).
        points: where the secants begin.
        xi: how far away the gradient is taken.
        lengths: of the secants, the shortest and the longest; they are drawn evenly.
        rng: on the device of the points.

    Paper: Terjék 2020, Adversarial Lipschitz Regularization, arXiv:1907.05681
    """

    def draw(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=rng, device=points.device, dtype=points.dtype)

    guess = _unit(draw(*points.shape) - 0.5).requires_grad_()
    (gradient,) = torch.autograd.grad(_rise(critic, points, points + xi * guess).sum(), guess)
    shortest, longest = lengths
    shift = (shortest + (longest - shortest) * draw(len(points), 1, 1, 1)) * _unit(gradient)
    return _rise(critic, points, points + shift) / gradient_norm(shift).clamp_min(TINY)


def _rise(critic: nn.Module, points: Tensor, others: Tensor) -> Tensor:
    here, there = values(critic, torch.cat([points, others])).chunk(2)
    return (there - here).abs()


def _unit(vectors: Tensor) -> Tensor:
    return vectors / per_sample(gradient_norm(vectors).clamp_min(TINY), vectors)
