"""The job of training a critic alone against a pair of known distance."""

import time
from pathlib import Path

import torch
from torch.nn.utils import parametrize

from lipbench.errors import Diverged
from lipbench.measuring import plane
from lipbench.measuring.critic import NotFiniteError, interpolate, not_measurable, settled
from lipbench.measuring.functions import of_critic
from lipbench.measuring.transport import against_truth
from lipbench.plugins import registry
from lipbench.plugins.kinds import LOSS
from lipbench.plugins.registry import Locate
from lipbench.request.cell import Cell
from lipbench.request.schema import CriticProtocol
from lipbench.train.alone import CriticAlone
from lipbench.train.streams import generator
from lipbench.work import basis
from lipbench.work.build import build_critic, choose_engine, choose_passes
from lipbench.work.check import COUNT, check_critic
from lipbench.work.job import Job, Record
from lipbench.work.parts import load_pair
from lipbench.work.stages import Stages

SEGMENTS = 256  # searched for secants and jumps; perceptrons are quick


class Alone(Job):
    """Trains a critic alone; arguments and errors as of `prepare.create`."""

    def __init__(self, cell: Cell, protocol: CriticProtocol, locate: Locate, device: torch.device) -> None:
        super().__init__(cell, locate)
        self.protocol, self.device = protocol, device
        self.pair = pair = load_pair(cell.dataset, locate, protocol.name)
        critic, composition = build_critic(cell, pair.shape, pair.dim, locate, device)
        engine = choose_engine(critic, composition, pair.shape, protocol.train.precision, device)
        loss = registry.create(LOSS, cell.loss, locate)
        self.training = CriticAlone(critic, composition, loss, pair, protocol.train, engine, cell.seed)
        choose_passes(self.training, pair.shape)

    @property
    def shape(self) -> tuple[int, int, int]:
        """See `Job.shape`."""
        return self.pair.shape

    def check(self, stages: Stages) -> None:
        """See `Job.check`."""
        points = self.pair.sample(COUNT, generator(0, "trial", device=self.device))
        check_critic(self.training, self.cell, *points, stages)

    def rehearse_evaluation(self) -> float:
        """See `Job.rehearse_evaluation`; a perceptron is quick enough for a whole one."""
        begun = time.perf_counter()
        self.evaluate(final=False)
        return self.evaluations * (time.perf_counter() - begun)

    def prepare(self, results: Path, stages: Stages, *, measure: bool) -> None:
        """See `Job.prepare`: the true distance is the yardstick."""
        basis.check(results, self.cell, self.basis)
        if measure:
            basis.write_yardsticks(results, self.cell, {"w1_true": self.pair.w1, "dim": self.pair.dim} | self.basis)

    def evaluate(self, *, final: bool) -> tuple[Record, plane.Arrays | None]:
        """See `Job.evaluate`; at the end of a run on points in the plane, what a picture shows of its critic."""
        measured, seed = self.protocol.evaluate, self.cell.seed
        rng = generator(seed, "measured pair", device=self.device)
        real, fake = self.pair.sample(measured.transport_points, rng)
        critic = settled(self.training.critic)
        score = of_critic(critic, self.training.composition.measured_score, self.exact_engine)
        record: Record = {}
        if not_measurable(critic, real, self.training.mixer) is None:
            with parametrize.cached():
                try:
                    record = against_truth(score, self.pair, real, fake)
                except NotFiniteError as error:
                    raise Diverged(self.training.step, error.what) from None
        count = min(measured.critic_points, len(real))
        shown = None
        if final and self.pair.dim == 2:
            shown = {"real": plane.shown(real), "fake": plane.shown(fake)} | self.over_plane(real)
        real, fake = real[:count], fake[:count]
        mixed = interpolate(real, fake, generator(seed, "measured points", device=self.device))
        points = {"real": real, "fake": fake, "interpolated": mixed}
        more = {"noise": self.noise(torch.cat([real, fake]))} if final else {}
        record |= self.measure_critic(points, final=final, more=more, segments=SEGMENTS)
        return record | self.take_measures(record, points, final=final), shown

    @property
    def basis(self) -> dict[str, str]:
        """See `Job.basis`."""
        return {"pair": self.pair.digest}

    def facts(self) -> Record:
        """See `Job.facts`."""
        return {"w1_true": self.pair.w1}
