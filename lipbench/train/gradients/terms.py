"""What a critic is asked: its values, and numbers to minimise made from values and gradient norms."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils import parametrize

from lipbench.train.precision import full

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


class Engine(ABC):
    """A way to differentiate.

    Attributes:
        name: as it stands in ``result.json``.
        reason: why it is not the quickest one; None where it is, or was asked for.
    """

    name: ClassVar[str]
    reason: str | None = None

    @abstractmethod
    def accumulate(
        self, critic: nn.Module, terms: list[Term], regulariser: Callable[[], Tensor] | None = None
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

    @abstractmethod
    def at_points(
        self, critic: nn.Module, points: Float[Tensor, "n c h w"], objective: Objective, *, needs_grad_norm: bool
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "n c h w"]]:
        """The objective and its gradient with respect to the points; the critic's parameters get none.

        The generator's step: ``fake.backward(gradient)`` carries it on.
        """


def values(critic: nn.Module, points: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """The critic's raw values.

    Raises:
        ValueError: the critic does not give one number a sample.
    """
    out = critic(points)
    if not isinstance(out, Tensor) or out.shape[:1] != points.shape[:1] or out.shape.numel() != len(points):
        raise ValueError(
            f"the critic gives {_described(out)} for {len(points)} samples; expected one number a sample, "
            f"({len(points)},) or ({len(points)}, 1): {_way_out(out)}"
        )
    flat: Tensor = out.reshape(-1)
    return full(flat)


def _described(out: object) -> str:
    """What a critic gave, with the shapes of what is in it."""
    if isinstance(out, Tensor):
        return str(tuple(out.shape))
    if out is None:
        return "nothing (None)"
    named = out.items() if isinstance(out, dict) else enumerate(out) if isinstance(out, tuple | list) else []
    shapes = [f"{key!r}: {tuple(part.shape)}" for key, part in named if isinstance(part, Tensor)]
    return type(out).__name__ + (f" ({', '.join(shapes)})" if shapes else "")


def _way_out(out: object) -> str:
    if out is None:
        return "end its forward with return"
    wrapper = "wrap it in a module whose forward ends with"
    if isinstance(out, Tensor):
        dims = tuple(range(1, out.dim()))
        return (
            f"{wrapper} .mean({dims if len(dims) > 1 else 1}), or picks one" if dims else "keep the batch's dimension"
        )
    part = f"[{next(iter(out), '…')!r}]" if isinstance(out, dict) else "[0]"
    return f"{wrapper} return self.net(x){part}, the part with the values"


def values_and_norms(
    critic: nn.Module, points: Float[Tensor, "n c h w"], *, differentiable: bool = False
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Values and gradient norms of the raw critic, by plain autograd.

    Args:
        critic: one that treats each sample by itself.
        points: where to evaluate; gradients reach them only where they already require some.
        differentiable: whether the norms can be differentiated in their turn.
    """
    points = points if points.requires_grad else points.detach().requires_grad_()
    # The plain kernel of attention is the one that can be differentiated twice.
    plain = sdpa_kernel(SDPBackend.MATH) if differentiable else nullcontext()
    with torch.enable_grad(), plain:
        value = values(critic, points)
        (gradient,) = torch.autograd.grad(value.sum(), points, create_graph=differentiable, retain_graph=differentiable)
    norm = gradient_norm(gradient)
    return value if differentiable else value.detach(), norm


def gradient_norm(gradient: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """The Euclidean norm of each sample's gradient. It has gradient 0 at 0, where a square root has NaN."""
    norm: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return norm


def per_sample(numbers: Float[Tensor, " n"], like: Tensor) -> Tensor:
    """One number a sample in a shape that multiplies samples like these, (n, …)."""
    return numbers.view(-1, *[1] * (like.dim() - 1))


@contextmanager
def frozen(critic: nn.Module) -> Iterator[None]:
    """Spare the weights' gradients inside the block."""
    trained = [weight for weight in critic.parameters() if weight.requires_grad]
    for weight in trained:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in trained:
            weight.requires_grad_(True)


@contextmanager
def made_once(critic: nn.Module) -> Iterator[None]:
    """Make the weights under a parametrisation (spectral norm) once, before the block: each access moves their buffers.

    Not when a layer is first reached, as that may be in a checkpointed part, which would find them made when it is
    computed again, and fail.
    """
    with parametrize.cached():
        with torch.autocast(next(critic.parameters()).device.type, enabled=False):
            for layer in critic.modules():
                for name in getattr(layer, "parametrizations", ()):
                    getattr(layer, name)
        yield
