"""The job of training a generator against a critic."""

import time
from functools import cached_property

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from lipbench.errors import Diverged
from lipbench.interfaces.dataset import digest, to_unit
from lipbench.measuring.critic import interpolate, settled
from lipbench.measuring.fidelity import fidelity
from lipbench.measuring.images import generate, grid_png
from lipbench.plugins.registry import Locate
from lipbench.request.cell import Cell
from lipbench.train.loop import Trainer
from lipbench.train.streams import generator
from lipbench.work.build import build
from lipbench.work.check import check_critic, check_generator
from lipbench.work.job import Job, Record
from lipbench.work.stages import Stages

GRID = 64  # pictures of a sample grid
FEW = 64  # pictures of a rehearsal
GPU = 0.01  # of the time that an extractor takes on a CPU, roughly
SEGMENTS = 8  # searched for secants and jumps: half a minute for cnn-32 on two cores


def latents(cell: Cell, count: int, device: torch.device) -> Float[Tensor, "n z"]:
    """The latents of every evaluation: the same for all methods of a seed, whatever the device."""
    rng = generator(cell.seed, "evaluation latents")
    return torch.randn(count, cell.adversarial.train.latent_dim, generator=rng).to(device)


class Adversarial(Job):
    """Trains a generator against a critic; arguments and errors as of `build`."""

    training: Trainer

    def __init__(self, cell: Cell, locate: Locate, device: torch.device) -> None:
        self.cell = cell
        self.built = build(cell, locate, device)
        self.training = self.built.trainer

    def check(self, stages: Stages) -> None:
        """See `Job.check`."""
        trainer, pictures = self.built.trainer, self.built.pictures
        latent_dim = trainer.settings.latent_dim
        fake = check_generator(trainer.generator, latent_dim, pictures.shape, trainer.device, stages)
        real = to_unit(pictures.train[: len(fake)].to(trainer.device))
        check_critic(trainer, self.method_names, str(self.cell.loss), real, fake[: len(real)], stages)

    def rehearse_evaluation(self) -> float:
        """See `Job.rehearse_evaluation`; the extractor is left out, it has seen the real pictures."""
        settings, begun = self.built.measured, time.perf_counter()
        fake = generate(settled(self.training.averaged.module), latents(self.cell, FEW, self.training.device))
        generated = time.perf_counter()
        places = self._places(fake, FEW)
        self.measure_critic(places, final=False, more={}, segments=SEGMENTS)
        ended = time.perf_counter()
        critic = (ended - generated) * settings.critic_points / len(places["real"])
        extracted = self.built.extractor.seconds_per_picture * (GPU if self.training.device.type == "cuda" else 1)
        return critic + settings.samples * ((generated - begun) / FEW + extracted)

    def evaluate(self, *, final: bool) -> tuple[Record, bytes]:
        """See `Job.evaluate`."""
        built, cell = self.built, self.cell
        trainer, pictures, settings = built.trainer, built.pictures, built.measured
        device = trainer.device
        averaged = trainer.averaged.module
        if not all(weight.isfinite().all() for weight in averaged.parameters()):
            raise Diverged(trainer.step, "a weight of the generator")
        fake = generate(settled(averaged), latents(cell, settings.samples, device))
        record: Record = fidelity(fake, built.reference, built.extractor, settings, cuda=device.type == "cuda")
        places = self._places(fake, settings.critic_points)
        train = to_unit(pictures.train[: len(places["real"])].to(device))
        more = {"train": train, "noise": self.noise(torch.cat([places["real"], places["fake"]]))} if final else {}
        record |= self.measure_critic(places, final=final, more=more, segments=SEGMENTS)
        return record, grid_png(fake[:GRID], columns=8)

    def _places(self, fake: UInt8[Tensor, "n c h w"], most: int) -> dict[str, Tensor]:
        """Points at which the critic is measured: held-out real, generated and interpolated ones, as many of each."""
        held_out, device = self.built.pictures.held_out, self.training.device
        count = min(most, len(held_out), len(fake))
        real_points, fake_points = to_unit(held_out[:count].to(device)), to_unit(fake[:count])
        rng = generator(self.cell.seed, "measured points", device=device)
        mixed = interpolate(real_points, fake_points, rng)
        return {"real": real_points, "fake": fake_points, "interpolated": mixed}

    @cached_property
    def basis(self) -> dict[str, str]:
        """See `Job.basis`."""
        pictures = self.built.pictures
        return {"pictures": digest(pictures.train, pictures.held_out), "extractor": self.built.extractor.id}

    def facts(self) -> Record:
        """See `Job.facts`."""
        extractor = self.built.extractor
        asked = self.cell.adversarial.evaluate
        return {"features": extractor.features} | self.built.reduced(asked)
