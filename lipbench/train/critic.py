"""One update of a critic, from real and fake samples to its new weights: the same whoever made the samples."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lipbench.interfaces.loss import Loss
from lipbench.request.schema import CriticTrain, Train
from lipbench.train.composition import Composition
from lipbench.train.gradients.call import UnsupportedOperation
from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.gradients.terms import Engine, Term, values
from lipbench.train.precision import autocast


class CriticUpdate:
    """Holds a critic with its optimiser, and updates it.

    Args:
        critic: (n, c, h, w) → (n,) or (n, 1), already constrained.
        composition: how it is kept Lipschitz.
        loss: on scores.
        settings: the protocol's ``train`` table.
        engine: how the critic is differentiated.

    Attributes:
        optimiser: its Adam.
        steps: the updates made so far.
        passes: 1 where real and fake samples go through the critic together; 2 where each has a pass of its own, as
            the statistics of a critic that mixes samples need. No method that uses gradient norms has such a critic.
        mixer: the layer by which the critic mixes samples in eval mode, too, so that nothing of it is measured.
    """

    def __init__(
        self,
        critic: nn.Module,
        composition: Composition,
        loss: Loss,
        settings: Train | CriticTrain,
        engine: Engine,
    ) -> None:
        self.critic = critic
        self.composition = composition
        self.loss = loss
        self.precision = settings.precision
        self.engine = engine
        self.device = next(critic.parameters()).device
        self.optimiser = torch.optim.Adam(critic.parameters(), settings.learning_rate, settings.betas)
        self.steps = 0
        self.passes = 1
        self.mixer: str | None = None

    @property
    def engine_name(self) -> str:
        """How gradients come about: ``three-sweep``, ``double-backward``, or ``plain`` where no norm is needed."""
        return self.engine.name if self.composition.needs_grad_norm else "plain"

    def __call__(
        self, real: Float[Tensor, "n c h w"], fake: Float[Tensor, "n c h w"], rng: torch.Generator
    ) -> Float[Tensor, ""]:
        """Update the weights once.

        Args:
            real: samples on the critic's device.
            fake: as many.
            rng: for the points of penalties.

        Returns:
            What was minimised, penalties included, detached.
        """
        batch, count = torch.cat([real, fake]), len(real)
        composition, step = self.composition, self.steps

        def objective(value: Tensor, norm: Tensor) -> Tensor:
            score = composition.score(value, norm)
            return self.loss.critic(score[:count], score[count:])

        terms = [Term(batch, objective, composition.score_needs_grad_norm)] if self.passes == 1 else []
        terms += composition.penalties(batch, count, step, rng)

        def plain() -> Tensor:
            total = composition.regulariser(self.critic, batch, count, step, rng)
            if self.passes == 1:
                return total
            return total + self.loss.critic(*(values(self.critic, part) for part in (real, fake)))

        self.optimiser.zero_grad(set_to_none=True)
        extra = plain if composition.has_regulariser or self.passes > 1 else None
        with autocast(self.precision, self.device):
            try:
                losses = self.engine.accumulate(self.critic, terms, extra)
            except UnsupportedOperation as unknown:  # a critic that does another thing than when it was proven
                self.engine = DoubleBackward(f"at critic step {step + 1} the three sweeps did not know {unknown}")
                losses = self.engine.accumulate(self.critic, terms, extra)
        self.optimiser.step()
        composition.project(self.critic)
        self.steps += 1
        return torch.stack(losses).sum()
