"""The job of training a generator against a critic."""

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench.cell import Cell
from lipbench.dataset import to_unit
from lipbench.errors import Diverged
from lipbench.measure.critic import interpolate
from lipbench.measure.fidelity import fidelity
from lipbench.measure.images import generate, grid_png
from lipbench.runner.build import build, check
from lipbench.runner.job import Job, Record
from lipbench.runner.parts import Locate
from lipbench.train.streams import generator

GRID = 64  # pictures of a sample grid
SEGMENTS = 8  # searched for secants and jumps: half a minute for cnn-32 on two cores


def latents(cell: Cell, count: int, device: torch.device) -> Float[Tensor, "n z"]:
    """The latents of every evaluation: the same for all methods of a seed, whatever the device."""
    rng = generator(cell.seed, "evaluation latents")
    return torch.randn(count, cell.adversarial.train.latent_dim, generator=rng).to(device)


class Adversarial(Job):
    """Trains a generator against a critic; arguments and errors as of `build`."""

    def __init__(self, cell: Cell, locate: Locate, device: torch.device) -> None:
        self.cell = cell
        self.built = build(cell, locate, device)
        self.training = self.built.trainer

    def check(self) -> None:
        """See `Job.check`."""
        check(self.built)

    def evaluate(self, *, final: bool) -> tuple[Record, bytes]:
        """See `Job.evaluate`."""
        built, cell = self.built, self.cell
        trainer, pictures, settings = built.trainer, built.pictures, cell.adversarial.evaluate
        device = trainer.device
        averaged = trainer.averaged.module
        if not all(weight.isfinite().all() for weight in averaged.parameters()):
            raise Diverged(trainer.step, "a weight of the generator")
        fake = generate(averaged, latents(cell, settings.samples, device))
        with torch.random.fork_rng():  # a data loader draws from the global stream, which belongs to training
            record: Record = fidelity(fake, built.reference, built.extractor, settings, cuda=device.type == "cuda")
        count = min(settings.critic_points, len(pictures.held_out), len(fake))
        real_points, fake_points = to_unit(pictures.held_out[:count].to(device)), to_unit(fake[:count])
        rng = generator(cell.seed, "measured points", device=device)
        places = {
            "real": real_points,
            "fake": fake_points,
            "interpolated": interpolate(real_points, fake_points, rng),
        }
        train = to_unit(pictures.train[:count].to(device))
        more = {"train": train, "noise": self.noise(torch.cat([real_points, fake_points]))} if final else {}
        record |= self.measure_critic(places, final=final, more=more, segments=SEGMENTS)
        return record, grid_png(fake[:GRID], columns=8)

    def facts(self) -> Record:
        """See `Job.facts`."""
        extractor = self.built.extractor
        return {"extractor": extractor.id, "features": extractor.features}
