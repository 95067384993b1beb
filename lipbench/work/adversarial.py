"""The job of training a generator against a critic."""

import time
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from lipbench.disk.kept import Note
from lipbench.errors import Diverged, PluginError
from lipbench.interfaces.dataset import digest, remarks, to_unit
from lipbench.launch.listener import Listener, duration
from lipbench.measuring.critic import interpolate, settled
from lipbench.measuring.fidelity import Reference, compare, fidelity, measure_real, notes
from lipbench.measuring.images import generate, grid_png
from lipbench.plugins.registry import Locate
from lipbench.request.cell import Cell
from lipbench.train.loop import Trainer
from lipbench.train.streams import generator, seeded
from lipbench.work import basis
from lipbench.work.build import build
from lipbench.work.check import check_critic, check_generator
from lipbench.work.job import Job, Record
from lipbench.work.parts import create_measure, find_architecture
from lipbench.work.stages import Stages

GRID = 64  # pictures of a sample grid
FEW = 64  # pictures of a rehearsal
TRIED = 1000  # pictures with which measures are tried that a user asks for
GPU = 0.01  # of the time that an extractor takes on a CPU, roughly
SLOW = 1500.0  # seconds of an extractor on a CPU, from which on it is said
MOST = 5000  # pictures of a yardstick: it is there for orientation
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
        self.measures = {str(part): create_measure(part, locate) for part in cell.measures}
        self.built = build(cell, locate, device)
        self.training = self.built.trainer

    @property
    def _cuda(self) -> bool:
        return self.training.device.type == "cuda"

    @property
    def shape(self) -> tuple[int, int, int]:
        """See `Job.shape`."""
        return self.built.pictures.shape

    def check_again(self, locate: Locate) -> None:
        """See `Job.check_again`; the user's own networks must go by the seed."""
        super().check_again(locate)
        cell = self.cell
        if not cell.architecture.file:
            return
        make, latent_dim = find_architecture(cell.architecture, locate), cell.adversarial.train.latent_dim
        made = []
        for seed in (0, 1):
            with seeded(seed, "trial of networks"):
                nets = make(self.shape, latent_dim)
            made.append([weight for net in nets for weight in net.parameters()])
        if all(torch.equal(one, other) for one, other in zip(*made, strict=True)):
            raise PluginError(
                f"architecture {cell.architecture.name} gives the same weights for every seed, so runs of different "
                f"seeds would begin alike; expected weights drawn from torch's own random numbers, without "
                f"torch.manual_seed"
            )

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
        record = self.measure_critic(places, final=False, more={}, segments=SEGMENTS)
        self._try_measures(record, places)
        ended = time.perf_counter()
        critic = (ended - generated) * settings.critic_points / len(places["real"])
        extracted = self.built.extractor.seconds_per_picture * (GPU if self._cuda else 1)
        return critic + settings.samples * ((generated - begun) / FEW + extracted)

    def _try_measures(self, record: Record, places: dict[str, Tensor]) -> None:
        """Take them of a few pictures, and of features that are drawn: the extractor may take long."""
        settings, extractor, real = self.built.measured, self.built.extractor, self.built.reference.pictures
        if not self.measures:
            return
        counts = [min(TRIED, count) for count in (settings.samples, len(real))]
        fake = generate(settled(self.training.averaged.module), latents(self.cell, counts[0], self.training.device))
        rng = generator(0, "trial of measures")
        drawn = [torch.rand(count, extractor.features, generator=rng).to(fake.device) for count in counts]
        self.take_measures(
            record, places, final=True, pictures=(fake, real[: counts[1]]), features=(drawn[0], drawn[1])
        )

    def prepare(self, results: Path, stages: Stages, *, measure: bool) -> None:
        """See `Job.prepare`: the real pictures, and as yardsticks noise and real pictures against real ones."""
        with stages.stage("measuring the real pictures", "pictures that the extractor can take"):
            self._tell(stages.listener)
            known = basis.check(results, self.cell, self.basis)
            if measure:
                self._measure_real(stages.listener)
            if measure and not known:
                stages.listener.checking(f"{self.cell.dataset}: measuring noise, and real pictures against real ones")
                basis.write_yardsticks(results, self.cell, self._yardsticks(stages.listener.noted) | self.basis)

    def _tell(self, listener: Listener) -> None:
        """Tell what a reader of the numbers must know."""
        cell, built = self.cell, self.built
        for text in remarks(built.pictures):
            listener.noted(f"{cell.dataset}: {text}.")
        asked, samples, real = cell.adversarial.evaluate, built.measured.samples, len(built.reference.pictures)
        for key, count in built.reduced(asked).items():
            listener.noted(
                f"evaluate.{key} is {getattr(asked, key)}, more than {samples:,} generated pictures and {real:,} of "
                f"the {asked.split} split of {cell.dataset} allow: it is taken to be {count}."
            )
        for text in notes(samples, real, built.extractor):
            listener.noted(text)
        slow = built.extractor.seconds_per_picture
        if not self._cuda and slow * (samples + real) > SLOW:
            each, once = (duration(count * slow) for count in (samples, real + 2 * min(samples, MOST)))
            listener.noted(
                f"On a CPU the Inception network takes about {once} once for the real pictures, and {each} for each "
                f"evaluation; for a try give --quick, or --set evaluate.samples=1000 --set evaluate.real_samples=1000"
            )

    def _measure_real(self, listener: Listener) -> None:
        reference, dataset = self.built.reference, self.cell.dataset
        measure_real(
            reference,
            self.built.extractor,
            cuda=self._cuda,
            progress=lambda done: listener.checking(
                f"{dataset}: real pictures measured: {done:,} of {len(reference.pictures):,}"
            ),
            note=listener.noted,
        )

    def _yardsticks(self, note: Note) -> Record:
        """What the same measures say of noise, and of real pictures: one half against the other."""
        settings, reference, extractor = self.built.measured, self.built.reference, self.built.extractor
        real = reference.pictures
        size = (min(settings.samples, MOST), *real.shape[1:])
        noise = torch.randint(0, 256, size, generator=generator(0, "noise")).to(torch.uint8)
        half = min(len(real) // 2, MOST)
        smaller = {
            "kid_subset_size": min(settings.kid_subset_size, half, len(noise)),
            "isc_splits": min(settings.isc_splits, half, len(noise)),
        }
        reduced = settings.model_copy(update=smaller)
        other = Reference(real[1::2][:half], f"{reference.name}-half")
        return {
            "noise": fidelity(noise, reference, extractor, reduced, cuda=self._cuda, note=note)
            | {"samples": len(noise)},
            "real": fidelity(real[::2][:half], other, extractor, reduced, cuda=self._cuda, note=note)
            | {"samples": half},
        }

    def evaluate(self, *, final: bool) -> tuple[Record, bytes]:
        """See `Job.evaluate`."""
        built, cell = self.built, self.cell
        trainer, pictures, settings = built.trainer, built.pictures, built.measured
        device = trainer.device
        averaged = trainer.averaged.module
        if not all(weight.isfinite().all() for weight in averaged.parameters()):
            raise Diverged(trainer.step, "a weight of the generator")
        fake = generate(settled(averaged), latents(cell, settings.samples, device))
        real = measure_real(built.reference, built.extractor, cuda=self._cuda)
        features = built.extractor.extract(fake, cuda=self._cuda)
        record: Record = compare(features, real, built.extractor, settings)
        places = self._places(fake, settings.critic_points)
        train = to_unit(pictures.train[: len(places["real"])].to(device))
        more = {"train": train, "noise": self.noise(torch.cat([places["real"], places["fake"]]))} if final else {}
        record |= self.measure_critic(places, final=final, more=more, segments=SEGMENTS)
        record |= self.take_measures(
            record,
            places,
            final=final,
            pictures=(fake, built.reference.pictures),
            features=(features["features"].to(device), torch.from_numpy(real.features["features"]).to(device)),
        )
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
