"""What is done once before any cell starts: everything is built and checked, real statistics are cached."""

import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from lipbench.disk.files import to_json, write_atomically
from lipbench.disk.kept import Note
from lipbench.disk.store import RunFolder
from lipbench.errors import PluginError, StoreError
from lipbench.interfaces.dataset import digest, remarks
from lipbench.interfaces.pair import Pair
from lipbench.launch.listener import Forecast, Listener, duration
from lipbench.measuring.fidelity import Reference, fidelity, measure_real, notes
from lipbench.plugins import own
from lipbench.request.plan import Planned
from lipbench.train.streams import generator, seeded
from lipbench.work import basis
from lipbench.work.adversarial import Adversarial
from lipbench.work.alone import Alone
from lipbench.work.build import Built
from lipbench.work.device import choose_device
from lipbench.work.job import Job
from lipbench.work.jobs import create
from lipbench.work.parts import find_architecture, is_built_in, load_data
from lipbench.work.rehearse import rehearse
from lipbench.work.stages import Stages

SLOW = 1500.0  # seconds of an extractor on a CPU, from which on it is said
MOST = 5000  # pictures of a yardstick: it is there for orientation


@dataclass(frozen=True)
class Ready:
    """What was built and checked.

    Attributes:
        job: the cell, built; it has been rehearsed, and cannot be trained.
        forecast: what one run of this sort takes.
    """

    job: Job
    forecast: Forecast


def prepare(planned: Planned, device: str, results: Path, listener: Listener, *, measure: bool = True) -> Ready:
    """Build, check and rehearse a cell; measure once what its numbers are compared with.

    Copies of the user's own files are used, and nothing that lies beside the originals: as by the run itself.

    Args:
        planned: the cell, and where the user's own files are.
        device: ``auto``, ``cpu``, ``cuda``, …
        results: where the yardsticks are kept.
        listener: is told what happens, and what a reader of the numbers must know.
        measure: whether to measure real pictures and noise; all else is checked in any case.

    Raises:
        RequestError: something does not fit together.
        StoreError: the cache or the results folder cannot be written to.
    """
    cell = planned.cell
    with TemporaryDirectory(prefix="lipbench-") as work:
        folder = RunFolder(Path(work, cell.run_id))
        folder.create(cell.to_json(), planned.contents())
        files = {folder.file(name): path for name, path in planned.sources.items()}
        stages = Stages(f"{cell.method} on {cell.dataset}", files, listener)
        with stages.stage("loading data and making networks", "data, networks and methods that can be made"):
            loaded = set(sys.modules)
            job = create(cell, folder.file, choose_device(device))
        for path in own.unseen(loaded):
            listener.noted(
                f"{str(path)!r} is imported otherwise than by an import statement that finds it, so no run has a copy: "
                f"after a change of it the same runs count as finished."
            )
        listener.made(_networks(job))
        with stages.stage("making data and networks again", "the same data, and weights that go by the seed"):
            _check_again(job, folder)
        job.check(stages)
        forecast = rehearse(job, stages)
        if job.training.engine.reason is not None:
            listener.noted(f"Gradients of {cell.method} by double backward: {job.training.engine.reason}.")
        if isinstance(job, Adversarial):
            with stages.stage("measuring the real pictures", "pictures that the extractor can take"):
                _prepare_pictures(job, results, stages, measure=measure)
        elif isinstance(job, Alone):
            _prepare_pair(job, results, measure=measure)
        listener.fits(forecast, job.describe())
    return Ready(job, forecast)


def _networks(job: Job) -> dict[str, Any]:
    """The shape of a point, and the numbers of parameters."""
    shape = (
        job.built.pictures.shape if isinstance(job, Adversarial) else getattr(job.training.critic, "input_shape", ())
    )
    nets = {"generator": getattr(job.training, "generator", None), "critic": job.training.critic}
    sizes = {f"{name}_parameters": sum(each.numel() for each in net.parameters()) for name, net in nets.items() if net}
    return {"shape": list(shape), **sizes}


def _check_again(job: Job, folder: RunFolder) -> None:
    """See that the user's own data are the same at each call, and that the user's own networks go by the seed.

    Raises:
        PluginError: they are not, or do not.
    """
    cell = job.cell
    if not is_built_in(cell.dataset):
        again = load_data(cell.dataset, folder.file)
        found = again.digest if isinstance(again, Pair) else digest(again.train, again.held_out)
        if found not in job.basis.values():
            what = "another pair" if isinstance(again, Pair) else "other pictures"
            raise PluginError(
                f"load of data set {cell.dataset} gives {what} at each call, so no two runs would have the same; "
                f"expected random numbers from a fixed seed alone: np.random.default_rng(0), or torch.rand(…, "
                f"generator=torch.Generator().manual_seed(0))"
            )
    if cell.architecture.file and isinstance(job, Adversarial):
        make, latent_dim = find_architecture(cell.architecture, folder.file), cell.adversarial.train.latent_dim
        made = []
        for seed in (0, 1):
            with seeded(seed, "trial of networks"):
                nets = make(job.built.pictures.shape, latent_dim)
            made.append([weight for net in nets for weight in net.parameters()])
        if all(torch.equal(one, other) for one, other in zip(*made, strict=True)):
            raise PluginError(
                f"architecture {cell.architecture.name} gives the same weights for every seed, so runs of different "
                f"seeds would begin alike; expected weights drawn from torch's own random numbers, without "
                f"torch.manual_seed"
            )


def _prepare_pair(job: Alone, results: Path, *, measure: bool) -> None:
    basis.check(results, job.cell, job.basis)
    if measure:
        _write(basis.yardstick_path(results, job.cell), {"w1_true": job.pair.w1, "dim": job.pair.dim} | job.basis)


def _prepare_pictures(job: Adversarial, results: Path, stages: Stages, *, measure: bool) -> None:
    cell, built, listener = job.cell, job.built, stages.listener
    for text in remarks(built.pictures):
        listener.noted(f"{cell.dataset}: {text}.")
    asked, samples, real = cell.adversarial.evaluate, built.measured.samples, len(built.reference.pictures)
    for key, count in built.reduced(asked).items():
        listener.noted(
            f"evaluate.{key} is {getattr(asked, key)}, more than {samples:,} generated pictures and {real:,} of the "
            f"{asked.split} split of {cell.dataset} allow: it is taken to be {count}."
        )
    for text in notes(samples, real, built.extractor):
        listener.noted(text)
    slow = built.extractor.seconds_per_picture
    if job.training.device.type == "cpu" and slow * (samples + real) > SLOW:
        each, once = (duration(count * slow) for count in (samples, real + 2 * min(samples, MOST)))
        listener.noted(
            f"On a CPU the Inception network takes about {once} once for the real pictures, and {each} for each "
            f"evaluation; for a try give --quick, or --set evaluate.samples=1000 --set evaluate.real_samples=1000"
        )
    known = basis.check(results, cell, job.basis)
    if not measure:
        return
    cuda = job.training.device.type == "cuda"
    measure_real(
        built.reference,
        built.extractor,
        cuda=cuda,
        progress=lambda done: listener.checking(f"{cell.dataset}: real pictures measured: {done:,} of {real:,}"),
        note=listener.noted,
    )
    if not known:
        listener.checking(f"{cell.dataset}: measuring noise, and real pictures against real ones")
        _write(
            basis.yardstick_path(results, cell), measure_yardsticks(built, cuda=cuda, note=listener.noted) | job.basis
        )


def _write(path: Path, record: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{str(path.parent)!r} cannot be made: {error.strerror}; free space, or choose another --results"
        ) from None
    write_atomically(path, to_json(record))


def measure_yardsticks(built: Built, *, cuda: bool, note: Note = print) -> dict[str, Any]:
    """What the same measures say of noise, and of real pictures: one half against the other.

    Raises:
        StoreError: the statistics cannot be kept.
    """
    settings, real = built.measured, built.reference.pictures
    rng = generator(0, "noise")
    size = (min(settings.samples, MOST), *real.shape[1:])
    noise = torch.randint(0, 256, size, generator=rng).to(torch.uint8)
    half = min(len(real) // 2, MOST)
    smaller = {
        "kid_subset_size": min(settings.kid_subset_size, half, len(noise)),
        "isc_splits": min(settings.isc_splits, half, len(noise)),
    }
    reduced = settings.model_copy(update=smaller)
    other = Reference(real[1::2][:half], f"{built.reference.name}-half")
    return {
        "noise": fidelity(noise, built.reference, built.extractor, reduced, cuda=cuda, note=note)
        | {"samples": len(noise)},
        "real": fidelity(real[::2][:half], other, built.extractor, reduced, cuda=cuda, note=note) | {"samples": half},
    }
