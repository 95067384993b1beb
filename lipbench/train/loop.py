"""The training loop: what one generator step is, from the pictures to the averaged generator."""

from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from lipbench.interfaces.dataset import to_unit
from lipbench.interfaces.loss import Loss, compares
from lipbench.request.schema import Train
from lipbench.train import adam
from lipbench.train.average import Average
from lipbench.train.composition import Composition
from lipbench.train.gradients.terms import Engine, made_once, values, values_and_norms
from lipbench.train.precision import autocast, full
from lipbench.train.training import Training


class Trainer(Training):
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

    settings: Train
    losses = ("critic loss", "generator loss")

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
        made = generator, settings.generator_learning_rate
        super().__init__(critic, composition, loss, settings, engine, seed, generator=made)
        self.critic_steps = settings.critic_steps
        self.generator = generator
        self.pictures = pictures
        self.averaged = Average(generator, settings.ema_decay)

    def _given(self) -> tuple[UInt8[Tensor, "n c h w"]]:
        """The next real pictures of all critic steps."""
        return (self._real(self.critic_steps),)

    def work(self, *given: UInt8[Tensor, "n c h w"]) -> Float[Tensor, " 2"]:
        """See `Training.work`."""
        (pictures,) = given
        for real in pictures.split(self.settings.batch_size):
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

    def generator_step(self, pictures: UInt8[Tensor, "n c h w"] | None = None) -> Float[Tensor, ""]:
        """One update of the generator and of its average; what it minimised, detached.

        Args:
            pictures: the real ones, for a loss that compares; the next ones if None.
        """
        latents = self.streams.latents(self.settings.generator_batch_size, self.settings.latent_dim)
        with autocast(self.settings.precision, self.device):
            fake = full(self.generator(latents))
            beside = (self._scores_beside(fake, pictures),) if compares(self.loss) else ()
            generator_loss, gradient = self.engine.at_points(
                self.critic,
                fake,
                lambda value, norm: self.loss.generator(self.composition.score(value, norm), *beside),
                needs_grad_norm=self.composition.score_needs_grad_norm,
            )
        self.optimisers["generator"].zero_grad(set_to_none=True)
        fake.backward(gradient)
        adam.step(self.optimisers["generator"])
        self.averaged.update()
        return generator_loss

    def critic_step(self, pictures: UInt8[Tensor, "n c h w"] | None = None) -> Float[Tensor, ""]:
        """One update of the critic; what it minimised, penalties included, detached.

        Args:
            pictures: the real ones; the next ones if None.
        """
        real = self._shown(pictures)
        with torch.no_grad(), autocast(self.settings.precision, self.device):
            fake = full(self.generator(self.streams.latents(len(real), self.settings.latent_dim)))
        return self.update_critic(real, fake)

    def _scores_beside(
        self, fake: Float[Tensor, "m c h w"], pictures: UInt8[Tensor, "n c h w"] | None
    ) -> Float[Tensor, " m"]:
        """The scores of as many real pictures, which are repeated where there are fewer; detached."""
        count = len(fake)
        real = self._shown(pictures)[:count].to(fake.dtype)
        with made_once(self.critic):
            if self.composition.score_needs_grad_norm:
                scores = self.composition.score(*values_and_norms(self.critic, real))
            else:
                with torch.no_grad():
                    scores = values(self.critic, real)
        return scores.detach().repeat(-(-count // len(real)))[:count]

    def _shown(self, pictures: UInt8[Tensor, "n c h w"] | None) -> Float[Tensor, "n c h w"]:
        """Real pictures, the next ones if None, as the critic sees them."""
        real = to_unit(self._real(1) if pictures is None else pictures)
        if self.settings.flips:
            draw = torch.rand(len(real), 1, 1, 1, generator=self.streams["flips"], device=real.device)
            real = torch.where(draw < 0.5, real.flip(3), real)
        return real

    def _real(self, batches: int) -> UInt8[Tensor, "n c h w"]:
        """The real pictures of the next batches, one after the other, on the device."""
        size, place = self.settings.batch_size, self.pictures.device
        found = [self.streams.batch(self.updates + ahead, size, len(self.pictures), place) for ahead in range(batches)]
        chosen = self.pictures[found[0] if batches == 1 else torch.cat(found)]
        if place == self.device:
            return chosen
        # From pinned memory, so that the copy waits for nobody.
        return chosen.pin_memory().to(self.device, non_blocking=True)

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
