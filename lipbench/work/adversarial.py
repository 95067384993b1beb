"""The job of training a generator against a critic."""

import time
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from lipbench.errors import Diverged
from lipbench.interfaces.dataset import digest, remarks, to_unit
from lipbench.launch.listener import Listener, duration
from lipbench.measuring.critic import interpolate, settled
from lipbench.measuring.features import Features
from lipbench.measuring.fidelity import compare, fitted, frechet, measure_real, notes
from lipbench.measuring.images import generate, grid_png
from lipbench.measuring.modes import counted
from lipbench.measuring.yardsticks import MOST, yardsticks
from lipbench.plugins.registry import Locate
from lipbench.request.cell import Cell
from lipbench.train.loop import Trainer
from lipbench.train.streams import generator
from lipbench.work import basis
from lipbench.work.build import build_trainer, choose_reference
from lipbench.work.check import check_critic, check_generator
from lipbench.work.job import Job, Record, latents
from lipbench.work.parts import check_seeding, create_features, load_pictures
from lipbench.work.stages import Stages

GRID = 64  # pictures of a sample grid
FEW = 64  # pictures of a rehearsal
TRIED = 1000  # pictures with which measures are tried that a user asks for
GPU = 0.01  # of the time that an extractor takes on a CPU, roughly
SLOW = 1500.0  # seconds of an extractor on a CPU, from which on it is said
SEGMENTS = 8  # searched for secants and jumps: half a minute for cnn-32 on two cores


class Adversarial(Job):
    """Trains a generator against a critic; arguments and errors as of `prepare.create`.

    Attributes:
        pictures: the data set.
        reference: the real pictures that generated ones are compared with.
        extractor: of the features in which they are compared.
        curve_extractor: of those at every evaluation, where `extractor` is asked at the last one alone; else None.
        measured: the protocol's ``evaluate`` table, with counts no larger than the data allow.
    """

    training: Trainer

    def __init__(self, cell: Cell, locate: Locate, device: torch.device) -> None:
        super().__init__(cell, locate)
        self.pictures = load_pictures(cell.dataset, locate)
        self.training = build_trainer(cell, self.pictures, locate, device)
        measured = cell.adversarial.evaluate
        real = len(self.pictures.split(measured.split))
        if measured.real_samples is not None and measured.real_samples > real:
            measured = measured.model_copy(update={"real_samples": real})
        self.reference = choose_reference(self.pictures, str(cell.dataset), measured)
        self.extractor = create_features(cell.extractor, locate)
        self.curve_extractor = create_features(cell.curve_extractor, locate) if cell.curve_extractor else None
        for extractor in self.extractors:
            extractor.check_shape(self.pictures.shape, str(cell.dataset))
        self.measured = fitted(measured, measured.samples, len(self.reference.pictures))

    @property
    def _cuda(self) -> bool:
        return self.training.device.type == "cuda"

    @property
    def extractors(self) -> list[Features]:
        """The extractor, and the curve extractor if there is one."""
        return [self.extractor, *([self.curve_extractor] if self.curve_extractor else [])]

    @property
    def shape(self) -> tuple[int, int, int]:
        """See `Job.shape`."""
        return self.pictures.shape

    @property
    def reduced(self) -> dict[str, int]:
        """The counts that the data made smaller than the protocol asks for, by name."""
        asked = self.cell.adversarial.evaluate
        counts = {key: getattr(self.measured, key) for key in ("real_samples", "kid_subset_size", "isc_splits")}
        return {key: count for key, count in counts.items() if count != getattr(asked, key)}

    def check_again(self, locate: Locate) -> None:
        """See `Job.check_again`; the user's own networks must go by the seed."""
        super().check_again(locate)
        check_seeding(self.cell, self.shape, locate)

    def check(self, stages: Stages) -> None:
        """See `Job.check`."""
        fake = check_generator(self.training, self.shape, stages)
        real = to_unit(self.pictures.train[: len(fake)].to(self.training.device))
        check_critic(self.training, self.cell, real, fake[: len(real)], stages)

    def rehearse_evaluation(self) -> float:
        """See `Job.rehearse_evaluation`; extractors are left out, they see the real pictures."""
        begun = time.perf_counter()
        fake = self._generate(FEW)
        generated = time.perf_counter()
        points = self._points_by_place(fake, FEW)
        record = self.measure_critic(points, final=False, more={}, segments=SEGMENTS)
        self._try_measures(record, points)
        ended = time.perf_counter()
        critic = (ended - generated) * self.measured.critic_points / len(points["real"])
        count, samples = self.evaluations, self.measured.samples
        asked = (1, count) if self.curve_extractor else (count,)
        extracted = sum(times * by.seconds_per_picture for times, by in zip(asked, self.extractors, strict=True))
        generating = count * (generated - begun) / FEW
        return count * critic + samples * (generating + extracted * (GPU if self._cuda else 1))

    def _generate(self, count: int) -> UInt8[Tensor, "n c h w"]:
        """Pictures of the averaged generator."""
        return generate(settled(self.training.averaged.module), latents(self.cell, count, self.training.device))

    def _try_measures(self, record: Record, points: dict[str, Tensor]) -> None:
        """Take them of a few pictures, and of features that are drawn: the extractor may take long."""
        if not self.measures:
            return
        counts = [min(TRIED, count) for count in (self.measured.samples, len(self.reference.pictures))]
        pictures = self._generate(counts[0]).cpu(), self.reference.pictures[: counts[1]]
        rng, size = generator(0, "trial of measures"), self.extractor.features
        drawn = [torch.rand(count, size, generator=rng).to(self.training.device) for count in counts]
        self.take_measures(record, points, final=True, pictures=pictures, features=(drawn[0], drawn[1]))

    def prepare(self, results: Path, stages: Stages, *, measure: bool) -> None:
        """See `Job.prepare`: the real pictures, and as yardsticks noise and real pictures against real ones."""
        with stages.stage("measuring the real pictures", "pictures that the extractor can take"):
            listener, dataset, count = stages.listener, self.cell.dataset, len(self.reference.pictures)
            self._tell(listener)
            has_yardsticks = basis.check(results, self.cell, self.basis)
            if not measure:
                return
            real = [
                measure_real(
                    self.reference,
                    extractor,
                    cuda=self._cuda,
                    progress=lambda done: listener.checking(
                        f"{dataset}: real pictures measured: {done:,} of {count:,}"
                    ),
                    note=listener.noted,
                )
                for extractor in self.extractors
            ]
            if not has_yardsticks:
                listener.checking(f"{dataset}: measuring noise")
                compared = self.reference, real[0], self.pictures.modes, self.extractor, self.measured
                found = yardsticks(*compared, cuda=self._cuda)
                basis.write_yardsticks(results, self.cell, found | self.basis)

    def _tell(self, listener: Listener) -> None:
        """Tell what a reader of the numbers must know."""
        asked, dataset = self.cell.adversarial.evaluate, self.cell.dataset
        samples, real = self.measured.samples, len(self.reference.pictures)
        for text in remarks(self.pictures):
            listener.noted(f"{dataset}: {text}.")
        for key, count in self.reduced.items():
            listener.noted(
                f"evaluate.{key} is {getattr(asked, key)}, more than {samples:,} generated pictures and {real:,} of "
                f"the {asked.split} split of {dataset} allow: it is taken to be {count}."
            )
        for text in notes(samples, real, self.extractor):
            listener.noted(text)
        slow = self.extractor.seconds_per_picture
        if not self._cuda and slow * (samples + real) > SLOW:
            each, once = (duration(count * slow) for count in (samples, real + min(samples, MOST)))
            when = "the last evaluation" if self.curve_extractor else "each evaluation"
            listener.noted(
                f"On a CPU the Inception network takes about {once} once for the real pictures, and {each} for {when}; "
                f"for a try give --quick, or --set evaluate.samples=1000 --set evaluate.real_samples=1000"
            )

    def evaluate(self, *, final: bool) -> tuple[Record, bytes]:
        """See `Job.evaluate`; where a curve extractor is asked, measures of features are None before the end."""
        trainer, device = self.training, self.training.device
        if not all(weight.isfinite().all() for weight in trainer.averaged.module.parameters()):
            raise Diverged(trainer.step, "a weight of the generator")
        fake = self._generate(self.measured.samples)
        record, features = self._compare(fake, final=final)
        record |= counted(self.pictures.modes, fake, None)
        points = self._points_by_place(fake, self.measured.critic_points)
        train = to_unit(self.pictures.train[: len(points["real"])].to(device))
        more = {"train": train, "noise": self.noise(torch.cat([points["real"], points["fake"]]))} if final else {}
        record |= self.measure_critic(points, final=final, more=more, segments=SEGMENTS)
        if self.measures:  # without, a GPU's memory would hold features for nothing
            pictures = fake.cpu(), self.reference.pictures
            on_device = None if features is None else (features[0].to(device), features[1].to(device))
            record |= self.take_measures(record, points, final=final, pictures=pictures, features=on_device)
        return record, grid_png(fake[:GRID], columns=8)

    def _compare(self, fake: UInt8[Tensor, "n c h w"], *, final: bool) -> tuple[Record, tuple[Tensor, Tensor] | None]:
        """FID, at the end KID and Inception Score; features of generated and real pictures if `extractor` is asked."""
        record: Record = {}
        if self.curve_extractor:
            real = measure_real(self.reference, self.curve_extractor, cuda=self._cuda)
            record["fid_curve"] = frechet(self.curve_extractor.extract(fake, cuda=self._cuda), real)
            if not final:
                return record, None
        real = measure_real(self.reference, self.extractor, cuda=self._cuda)
        features = self.extractor.extract(fake, cuda=self._cuda)
        record |= compare(features, real, self.extractor, self.measured) if final else {"fid": frechet(features, real)}
        return record, (features["features"], torch.from_numpy(real.features["features"]))

    def _points_by_place(self, fake: UInt8[Tensor, "n c h w"], most: int) -> dict[str, Tensor]:
        """Points at which the critic is measured: held-out real, generated and interpolated ones, as many of each."""
        held_out, device = self.pictures.held_out, self.training.device
        count = min(most, len(held_out), len(fake))
        real_points, fake_points = to_unit(held_out[:count].to(device)), to_unit(fake[:count])
        rng = generator(self.cell.seed, "measured points", device=device)
        mixed = interpolate(real_points, fake_points, rng)
        return {"real": real_points, "fake": fake_points, "interpolated": mixed}

    @cached_property
    def basis(self) -> dict[str, str]:
        """See `Job.basis`."""
        ids = zip(("extractor", "curve_extractor"), (by.id for by in self.extractors), strict=False)
        return {"pictures": digest(self.pictures.train, self.pictures.held_out), **dict(ids)}

    def facts(self) -> Record:
        """See `Job.facts`."""
        return {"features": self.extractor.features} | self.reduced
