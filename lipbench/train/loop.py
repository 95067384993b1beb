"""The training loop: what one generator step is, from the real samples to the averaged generator."""

from abc import abstractmethod
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from lipbench.interfaces.dataset import to_unit
from lipbench.interfaces.loss import Loss, compares
from lipbench.request.schema import PointsTrain, Train
from lipbench.train import optimiser
from lipbench.train.average import Average
from lipbench.train.composition import Composition
from lipbench.train.gradients.terms import Engine, made_once, values, values_and_norms
from lipbench.train.precision import autocast, full
from lipbench.train.training import Training


class Game(Training):
    """Trains one generator against one critic; `state_dict` holds all that decides how it goes on.

    Args:
        generator: (n, latent_dim) → (n, c, h, w).
        critic: (n, c, h, w) → (n,) or (n, 1), already constrained, on the same device.
        composition: how the critic is kept Lipschitz.
        loss: on scores.
        settings: the protocol's ``train`` table.
        engine: how the critic is differentiated.
        seed: from which all random streams are derived.
    """

    settings: Train | PointsTrain
    losses = ("critic loss", "generator loss")

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        composition: Composition,
        loss: Loss,
        settings: Train | PointsTrain,
        engine: Engine,
        seed: int,
    ) -> None:
        made = generator, settings.generator_learning_rate
        super().__init__(critic, composition, loss, settings, engine, seed, generator=made)
        self.critic_steps = settings.critic_steps
        self.generator = generator
        self.averaged = Average(generator, settings.ema_decay)

    @abstractmethod
    def _real(self, batches: int) -> Tensor:
        """The real samples of the next batches, one after the other, on the device."""

    @abstractmethod
    def _shown(self, samples: Tensor | None) -> Float[Tensor, "n c h w"]:
        """Real samples, the next ones if None, as the critic sees them."""

    def _given(self) -> tuple[Tensor]:
        """The next real samples of all critic steps."""
        return (self._real(self.critic_steps),)

    def work(self, *given: Tensor) -> Float[Tensor, " 2"]:
        """See `Training.work`."""
        (samples,) = given
        for real in samples.split(self.settings.batch_size):
            critic_loss = self.critic_step(real)
        return torch.stack([critic_loss, self.generator_step(real)])

    @property
    def counts(self) -> tuple[int, ...]:
        """See `Training.counts`."""
        return self.updates, self.averaged.updates

    @counts.setter
    def counts(self, values: tuple[int, ...]) -> None:
        self.updates, self.averaged.updates = values

    @property
    def networks(self) -> dict[str, nn.Module]:
        """See `Training.networks`."""
        return {"critic": self.critic, "generator": self.generator, "average": self.averaged.module}

    def generator_step(self, samples: Tensor | None = None) -> Float[Tensor, ""]:
        """One update of the generator and of its average; what it minimised, detached.

        Args:
            samples: real ones, for a loss that compares; the next ones if None.
        """
        latents = self.streams.latents(self.settings.generator_batch_size, self.settings.latent_dim)
        with autocast(self.settings.precision, self.device):
            fake = full(self.generator(latents))
            beside = (self._scores_beside(fake, samples),) if compares(self.loss) else ()
            generator_loss, gradient = self.engine.at_points(
                self.critic,
                fake,
                lambda value, norm: self.loss.generator(self.composition.score(value, norm), *beside),
                needs_grad_norm=self.composition.score_needs_grad_norm,
            )
        self.optimisers["generator"].zero_grad(set_to_none=True)
        fake.backward(gradient)
        optimiser.step(self.optimisers["generator"])
        self.averaged.update()
        return generator_loss

    def critic_step(self, samples: Tensor | None = None) -> Float[Tensor, ""]:
        """One update of the critic; what it minimised, penalties included, detached.

        Args:
            samples: real ones; the next ones if None.
        """
        real = self._shown(samples)
        with torch.no_grad(), autocast(self.settings.precision, self.device):
            fake = full(self.generator(self.streams.latents(len(real), self.settings.latent_dim)))
        return self.update_critic(real, fake)

    def _scores_beside(self, fake: Float[Tensor, "m c h w"], samples: Tensor | None) -> Float[Tensor, " m"]:
        """The scores of as many real samples, which are repeated where there are fewer; detached."""
        count = len(fake)
        real = self._shown(samples)[:count].to(fake.dtype)
        with made_once(self.critic):
            if self.composition.score_needs_grad_norm:
                scores = self.composition.score(*values_and_norms(self.critic, real))
            else:
                with torch.no_grad():
                    scores = values(self.critic, real)
        return scores.detach().repeat(-(-count // len(real)))[:count]

    def state_dict(self) -> dict[str, Any]:
        """See `Training.state_dict`."""
        return {
            **super().state_dict(),
            "generator": self.generator.state_dict(),
            "averaged": self.averaged.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Training.load_state_dict`."""
        self.generator.load_state_dict(state["generator"])
        self.averaged.load_state_dict(state["averaged"])
        super().load_state_dict(state)


class Trainer(Game):
    """Trains a generator of pictures.

    Args:
        generator: (n, latent_dim) → (n, c, h, w) in [−1, 1].
        pictures: the real ones, on the same device, or on the CPU where they do not fit.
        critic, composition, loss, settings, engine, seed: as of `Game`.
    """

    settings: Train

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
        super().__init__(generator, critic, composition, loss, settings, engine, seed)
        self.pictures = pictures

    def _real(self, batches: int) -> UInt8[Tensor, "n c h w"]:
        """See `Game._real`."""
        size, place = self.settings.batch_size, self.pictures.device
        found = [self.streams.batch(self.updates + ahead, size, len(self.pictures), place) for ahead in range(batches)]
        chosen = self.pictures[found[0] if batches == 1 else torch.cat(found)]
        if place == self.device:
            return chosen
        # From pinned memory, so that the copy waits for nobody.
        return chosen.pin_memory().to(self.device, non_blocking=True)

    def _shown(self, samples: UInt8[Tensor, "n c h w"] | None) -> Float[Tensor, "n c h w"]:
        """See `Game._shown`: in [−1, 1], mirrored by chance where the protocol flips."""
        real = to_unit(self._real(1) if samples is None else samples)
        if self.settings.flips:
            draw = torch.rand(len(real), 1, 1, 1, generator=self.streams["flips"], device=real.device)
            real = torch.where(draw < 0.5, real.flip(3), real)
        return real
