"""The training loop: what one generator step is, from the pictures to the averaged generator."""

from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lipbench.dataset import to_unit
from lipbench.errors import Diverged
from lipbench.protocol import Train
from lipbench.train.composition import Composition
from lipbench.train.gradients.call import UnsupportedOperation
from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.gradients.terms import Engine, Term
from lipbench.train.losses import Loss
from lipbench.train.precision import autocast, full
from lipbench.train.streams import Streams


class Trainer:
    """Trains one generator against one critic; `state_dict` holds all that decides how it goes on.

    Args:
        generator: (n, latent_dim) → (n, c, h, w) in [−1, 1].
        critic: (n, c, h, w) → (n,) or (n, 1), already constrained, on the same device.
        composition: how the critic is kept Lipschitz.
        loss: on scores.
        pictures: the real ones, on the same device, or on the CPU where they do not fit.
        settings: the protocol's ``train`` table.
        engine: how the critic is differentiated.
        seed: from which all random streams are derived.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        composition: Composition,
        loss: Loss,
        pictures: UInt8[Tensor, "n c h w"],
        settings: Train,
        engine: Engine,
        seed: int,
    ) -> None:
        self.generator = generator
        self.critic = critic
        self.composition = composition
        self.loss = loss
        self.pictures = pictures
        self.settings = settings
        self.engine = engine
        self.device = next(critic.parameters()).device
        self.streams = Streams(seed, self.device)
        self.step = 0
        self._critic_steps = 0
        averaging = get_ema_multi_avg_fn(settings.ema_decay)
        self.averaged = AveragedModel(generator, multi_avg_fn=averaging, use_buffers=True)
        self.averaged.eval()
        self._optimisers = {
            "critic": torch.optim.Adam(critic.parameters(), settings.learning_rate, settings.betas),
            "generator": torch.optim.Adam(generator.parameters(), settings.generator_learning_rate, settings.betas),
        }
        # A lambda, because a schedule's state takes anything else that it is given along.
        self._schedules = {
            name: LambdaLR(adam, lambda step: self._decay(step)) for name, adam in self._optimisers.items()
        }

    @property
    def engine_name(self) -> str:
        """How gradients come about: ``three-sweep``, ``double-backward``, or ``plain`` where no norm is needed."""
        return self.engine.name if self.composition.needs_grad_norm else "plain"

    def advance(self, steps: int) -> dict[str, float]:
        """Make `steps` generator steps and give the mean losses over them.

        Numbers are read from the device once, at the end, so that a step never waits for it.

        Raises:
            Diverged: a loss was not finite; the step of the first is named.
        """
        made = [self._iterate() for _ in range(steps)]
        losses = torch.stack([torch.stack(pair) for pair in made])
        finite = losses.isfinite().cpu()
        if not finite.all():
            row, column = (int(index) for index in (~finite).nonzero()[0])
            raise Diverged(self.step - steps + row + 1, ("critic loss", "generator loss")[column])
        critic, generator = losses.mean(dim=0).tolist()
        return {"critic_loss": critic, "generator_loss": generator}

    def _iterate(self) -> tuple[Tensor, Tensor]:
        for _ in range(self.settings.critic_steps):
            critic_loss = self.critic_step()
        return critic_loss, self.generator_step()

    def generator_step(self) -> Float[Tensor, ""]:
        """One update of the generator and of its average; what it minimised, detached."""
        latents = self.streams.latents(self.settings.generator_batch_size, self.settings.latent_dim)
        with autocast(self.settings.precision, self.device):
            fake = full(self.generator(latents))
            generator_loss, gradient = self.engine.at_points(
                self.critic,
                fake,
                lambda value, norm: self.loss.generator(self.composition.score(value, norm)),
                needs_grad_norm=self.composition.score_needs_grad_norm,
            )
        self._optimisers["generator"].zero_grad(set_to_none=True)
        fake.backward(gradient)
        self._optimisers["generator"].step()
        self.averaged.update_parameters(self.generator)
        for schedule in self._schedules.values():
            schedule.step()
        self.step += 1
        return generator_loss

    def critic_step(self) -> Float[Tensor, ""]:
        """One update of the critic; what it minimised, penalties included, detached."""
        count = self.settings.batch_size
        real = self._real(count)
        with torch.no_grad(), autocast(self.settings.precision, self.device):
            fake = full(self.generator(self.streams.latents(count, self.settings.latent_dim)))
        batch = torch.cat([real, fake])  # one pass for both
        composition, rng, step = self.composition, self.streams["penalty"], self._critic_steps

        def objective(value: Tensor, norm: Tensor) -> Tensor:
            score = composition.score(value, norm)
            return self.loss.critic(score[:count], score[count:])

        terms = [Term(batch, objective, composition.score_needs_grad_norm)]
        terms += composition.penalties(batch, count, step, rng)

        def regulariser() -> Tensor:
            return composition.regulariser(self.critic, batch, count, step, rng)

        self._optimisers["critic"].zero_grad(set_to_none=True)
        extra = regulariser if composition.has_regulariser else None
        with autocast(self.settings.precision, self.device):
            try:
                losses = self.engine.accumulate(self.critic, terms, extra)
            except UnsupportedOperation as unknown:  # a critic that does another thing than when it was proven
                self.engine = DoubleBackward(f"at critic step {step + 1} the three sweeps did not know {unknown}")
                losses = self.engine.accumulate(self.critic, terms, extra)
        self._optimisers["critic"].step()
        composition.project(self.critic)
        self._critic_steps += 1
        return torch.stack(losses).sum()

    def _real(self, count: int) -> Tensor:
        """The next real pictures, in [−1, 1], mirrored at random where the protocol says so."""
        index = self.streams.batch(self._critic_steps, count, len(self.pictures))
        real = to_unit(self.pictures[index.to(self.pictures.device)].to(self.device))
        if self.settings.flips:
            draw = torch.rand(count, 1, 1, 1, generator=self.streams["flips"], device=real.device)
            real = torch.where(draw < 0.5, real.flip(3), real)
        return real

    def _decay(self, step: int) -> float:
        return 1.0 if self.settings.decay == "none" else max(0.0, 1 - step / self.settings.steps)

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides how training goes on, torch's global random state included."""
        return {
            "step": self.step,
            "critic_steps": self._critic_steps,
            "generator": self.generator.state_dict(),
            "critic": self.critic.state_dict(),
            "averaged": self.averaged.state_dict(),
            "streams": self.streams.state_dict(),
            "optimisers": {name: adam.state_dict() for name, adam in self._optimisers.items()},
            "schedules": {name: schedule.state_dict() for name, schedule in self._schedules.items()},
            "global_random": torch.get_rng_state(),
            "global_random_cuda": torch.cuda.get_rng_state_all(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self.step, self._critic_steps = state["step"], state["critic_steps"]
        self.generator.load_state_dict(state["generator"])
        self.critic.load_state_dict(state["critic"])
        self.averaged.load_state_dict(state["averaged"])
        self.streams.load_state_dict(state["streams"])
        for name, adam in self._optimisers.items():
            adam.load_state_dict(state["optimisers"][name])
            self._schedules[name].load_state_dict(state["schedules"][name])
        torch.set_rng_state(state["global_random"])
        torch.cuda.set_rng_state_all(state["global_random_cuda"])
