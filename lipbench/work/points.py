"""The job of training a generator of points against a critic."""

import time
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench.errors import Diverged
from lipbench.launch.listener import Listener
from lipbench.measuring import dirac, plane
from lipbench.measuring.critic import interpolate, settled, uniform
from lipbench.measuring.matching import wasserstein
from lipbench.measuring.modes import counted
from lipbench.plugins.registry import Locate
from lipbench.request.cell import Cell
from lipbench.request.schema import PointsProtocol
from lipbench.train.points import PointTrainer
from lipbench.train.streams import generator
from lipbench.work import basis
from lipbench.work.build import build_point_trainer
from lipbench.work.check import check_critic, check_generator
from lipbench.work.job import Job, Record, latents
from lipbench.work.parts import check_seeding, load_distribution
from lipbench.work.stages import Stages

SEGMENTS = 256  # searched for secants and jumps; perceptrons are quick


class Points(Job):
    """Trains a generator of points; arguments and errors as of `prepare.create`.

    Attributes:
        distribution: of the real points.
        is_dirac: whether generator and critic are a number each, so that their trajectory is all there is to see.
    """

    training: PointTrainer

    def __init__(self, cell: Cell, protocol: PointsProtocol, locate: Locate, device: torch.device) -> None:
        super().__init__(cell, locate)
        self.protocol, self.device = protocol, device
        self.distribution = load_distribution(cell.dataset, locate, protocol.name)
        self.training = build_point_trainer(cell, protocol, self.distribution, locate, device)
        self.is_dirac = self.distribution.dim == 1 and dirac.is_dirac(self.training)

    @property
    def shape(self) -> tuple[int, int, int]:
        """See `Job.shape`."""
        return self.distribution.shape

    def check_again(self, locate: Locate) -> None:
        """See `Job.check_again`; the user's own networks must go by the seed."""
        super().check_again(locate)
        check_seeding(self.cell, self.shape, locate)

    def check(self, stages: Stages) -> None:
        """See `Job.check`."""
        fake = check_generator(self.training, self.shape, stages, bounded=False)
        rng = generator(0, "trial", device=self.device)
        real = self.distribution.sample(len(fake), rng)
        # Beside the real points: at one alone, such as 0, critics of different weights may agree.
        around = 0.1 * torch.randn(real.shape, generator=rng, device=self.device)
        check_critic(self.training, self.cell, real + around, fake, stages)

    def rehearse_evaluation(self) -> float:
        """See `Job.rehearse_evaluation`; a perceptron is quick enough for a whole one."""
        begun = time.perf_counter()
        self.evaluate(final=False)
        return self.evaluations * (time.perf_counter() - begun)

    def prepare(self, results: Path, stages: Stages, *, measure: bool) -> None:
        """See `Job.prepare`: noise in the range of the real points, and other real points, as yardsticks."""
        self._tell(stages.listener)
        if basis.check(results, self.cell, self.basis) or not measure:
            return
        real, other = (self._real(self.protocol.evaluate.samples, number) for number in range(2))
        found = {}
        if (other != other[0]).any():  # noise in the range of one point is that point
            noise = uniform(other, generator(0, "noise", device=self.device))
            found = {"real": self._compare(other, real), "noise": self._compare(noise, real)}
        basis.write_yardsticks(results, self.cell, found | self.basis)

    def _tell(self, listener: Listener) -> None:
        for text in self.distribution.notes:
            listener.noted(f"{self.cell.dataset}: {text}.")

    def _real(self, count: int, draw: int) -> Float[Tensor, "n d 1 1"]:
        """Real points of a yardstick: the same for every run."""
        return self.distribution.sample(count, generator(0, "yardstick", draw, device=self.device))

    def _compare(self, points: Float[Tensor, "n d 1 1"], real: Float[Tensor, "n d 1 1"]) -> Record:
        """The modes of points, and their exact distance from real ones."""
        record: Record = counted(self.distribution.modes, points, self.distribution.near(points))
        return {"samples": len(points), "sample_w1": wasserstein(points, real)} | record

    def evaluate(self, *, final: bool) -> tuple[Record, plane.Arrays | None]:
        """See `Job.evaluate`; a picture of points in the plane, or of a Dirac-GAN's field."""
        trainer, measured, seed = self.training, self.protocol.evaluate, self.cell.seed
        made = settled(trainer.averaged.module)
        with torch.no_grad():
            fake = made(latents(self.cell, measured.samples, self.device)).float()
        if not fake.isfinite().all():
            raise Diverged(trainer.step, "a generated point")
        real = self.distribution.sample(len(fake), generator(seed, "measured real points", device=self.device))
        record = self._compare(fake, real)
        if self.is_dirac:
            record |= dirac.place(trainer)
            if not final:  # where the two are is all that there is, and asked often
                return record, None
        count = min(measured.critic_points, len(fake))
        some, few = real[:count], fake[:count]
        mixed = interpolate(some, few, generator(seed, "measured points", device=self.device))
        points = {"real": some, "fake": few, "interpolated": mixed}
        more = {"noise": self.noise(torch.cat([some, few]))} if final else {}
        record |= self.measure_critic(points, final=final, more=more, segments=SEGMENTS)
        record |= self.take_measures(record, points, final=final, samples=(fake, real))
        if self.is_dirac:
            return record, dirac.field(trainer)
        if self.distribution.dim != 2:
            return record, None
        return record, {"samples": plane.shown(fake), "real": plane.shown(real)} | self.over_plane(real)

    @cached_property
    def basis(self) -> dict[str, str]:
        """See `Job.basis`."""
        return {"points": self.distribution.digest}

    def facts(self) -> Record:
        """See `Job.facts`."""
        return {}
