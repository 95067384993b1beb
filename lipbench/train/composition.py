"""Several methods as one: ``sn+gp`` constrains by the first and penalises by the second."""

from collections.abc import Callable
from math import inf

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lipbench.errors import RequestError
from lipbench.interfaces.method import Method, overrides
from lipbench.train.constraint import constrain
from lipbench.train.gradients.terms import Term


class Composition:
    """Methods in order: constrain and project one after another, penalties summed, at most one score.

    Args:
        methods: instances, at most one of which overrides `Method.score`.

    Attributes:
        lipschitz_target: that of the method which replaces the score; where none does, the smallest.
        left_free: the matrices that the constraints have left as they were, with their shapes.

    Raises:
        RequestError: two of them override it, or a target is no number above 0.
    """

    def __init__(self, methods: tuple[Method, ...]) -> None:
        self.methods = methods
        self.left_free: list[str] = []
        scoring = [method for method in methods if overrides(method, "score")]
        if len(scoring) > 1:
            raise RequestError(f"{len(scoring)} methods replace the critic's score; expected at most one")
        self._scoring = scoring[0] if scoring else None
        self._penalising = [method for method in methods if overrides(method, "penalty")]
        self._regularising = [method for method in methods if overrides(method, "regulariser")]
        self.lipschitz_target = min(_lipschitz_target(method) for method in scoring or methods)

    @property
    def score_needs_grad_norm(self) -> bool:
        """Whether the score is more than the raw value."""
        return self._scoring is not None

    @property
    def measured_score(self) -> Callable[[Tensor, Tensor], Tensor] | None:
        """The score of value and gradient norm; None where it is the value itself."""
        return self.score if self.score_needs_grad_norm else None

    @property
    def guarantee(self) -> str:
        """What the methods promise, one after the other."""
        return " + ".join(dict.fromkeys(method.guarantee for method in self.methods))

    @property
    def needs_grad_norm(self) -> bool:
        """Whether training needs any input gradient of the critic."""
        return self._scoring is not None or bool(self._penalising)

    def constrain(self, critic: nn.Module) -> nn.Module:
        """Apply each method's `Method.constrain`; errors as of `lipbench.train.constraint.constrain`."""
        critic, self.left_free = constrain(self.methods, critic)
        return critic

    @torch.no_grad()
    def project(self, critic: nn.Module) -> None:
        """Apply each method's `Method.project`."""
        for method in self.methods:
            method.project(critic)

    def score(self, value: Float[Tensor, " n"], grad_norm: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """What the losses, the generator and every measurement see."""
        return value if self._scoring is None else self._scoring.score(value, grad_norm)

    def due(self, step: int) -> tuple[bool, ...]:
        """Which methods add their penalty or regulariser at a critic step, from 0."""
        return tuple(step % method.every == 0 for method in self.methods)

    def penalties(self, batch: Tensor, count: int, step: int, rng: torch.Generator) -> list[Term]:
        """The penalties that are due.

        Args:
            batch: real and fake samples, one after the other.
            count: how many of them are real.
            step: the number of the critic step, from 0.
            rng: the stream for random points, on the device of `batch`.
        """
        real, fake = batch[:count], batch[count:]
        terms = []
        for method in self._penalising:
            if step % method.every == 0 and (points := method.penalty_points(real, fake, rng)) is not None:
                terms.append(_term(method, points, batch, real, fake))
        return terms

    def regulariser(self, critic: nn.Module, batch: Tensor, count: int, step: int, rng: torch.Generator) -> Tensor:
        """The sum of the regularisers that are due; arguments as of `penalties`."""
        due = [method for method in self._regularising if step % method.every == 0]
        total = batch.new_zeros(())
        for method in due:
            total = total + method.every * method.regulariser(critic, batch[:count], batch[count:], rng)
        return total

    @property
    def has_regulariser(self) -> bool:
        """Whether any method adds something by plain autograd."""
        return bool(self._regularising)


def _lipschitz_target(method: Method) -> float:
    target: object = method.lipschitz_target  # a user's own: it may be anything
    if isinstance(target, int | float) and not isinstance(target, bool) and 0 < target < inf:
        return float(target)
    raise RequestError(
        f"lipschitz_target of {type(method).__name__} is {target!r}; expected a number above 0, the Lipschitz constant "
        f"at which the method aims"
    )


def _term(method: Method, points: Tensor, batch: Tensor, real: Tensor, fake: Tensor) -> Term:
    """A penalty as a term; on the batch's own samples it shares the pass that is made anyway."""

    def objective(value: Tensor, grad_norm: Tensor) -> Tensor:
        return method.every * method.penalty(value, grad_norm)

    if points is real:
        return Term(batch, objective, rows=slice(None, len(real)))
    if points is fake:
        return Term(batch, objective, rows=slice(len(real), None))
    return Term(points.detach(), objective)
