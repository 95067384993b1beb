"""What is done once before any cell starts: everything is built and checked, real statistics are cached."""

import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from lipbench.disk.store import RunFolder
from lipbench.launch.listener import Listener
from lipbench.plugins import own
from lipbench.plugins.registry import Locate
from lipbench.request.cell import Cell
from lipbench.request.plan import Planned
from lipbench.request.schema import adversarial
from lipbench.work.adversarial import Adversarial
from lipbench.work.alone import Alone
from lipbench.work.device import choose_device
from lipbench.work.job import Job
from lipbench.work.points import Points
from lipbench.work.rehearse import rehearse
from lipbench.work.stages import Stages


def prepare(planned: Planned, device: str, results: Path, listener: Listener, *, measure: bool = True) -> Job:
    """Build, check and rehearse a cell; measure once what its numbers are compared with.

    Copies of the user's own files are used, and nothing that lies beside the originals: as by the run itself.

    Args:
        planned: the cell, and where the user's own files are.
        device: ``auto``, ``cpu``, ``cuda``, …
        results: where the yardsticks are kept.
        listener: is told what happens, and what a reader of the numbers must know.
        measure: whether to measure real pictures and noise; all else is checked in any case.

    Returns:
        The cell, built; it has been rehearsed, and cannot be trained.

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
        listener.made(job.networks)
        with stages.stage("making data and networks again", "the same data, and weights that go by the seed"):
            job.check_again(folder.file)
        job.check(stages)
        forecast = rehearse(job, stages)
        if job.training.engine.reason is not None:
            listener.noted(f"Gradients of {cell.method} by double backward: {job.training.engine.reason}.")
        job.prepare(results, stages, measure=measure)
        listener.fits(forecast, job.describe())
    return job


@dataclass(frozen=True)
class Prepared:
    """What is ready for one data set.

    Attributes:
        dataset: its name.
        train: how many pictures there are to train with.
        held_out: how many are held out.
        shape: channels, height and width of a picture.
        real: how many real pictures were measured.
        extractor: by what; names of two, where evaluations before the last one ask another.
    """

    dataset: str
    train: int
    held_out: int
    shape: tuple[int, int, int]
    real: int
    extractor: str


def prepare_pictures(planned: Planned, device: str, results: Path, listener: Listener) -> Prepared:
    """`prepare` where pictures are compared, and what is ready then; arguments as of `prepare`.

    Raises:
        RequestError: something does not fit together, or the protocol trains a critic alone.
        StoreError: the cache or the results folder cannot be written to.
    """
    adversarial(planned.cell.protocol)
    job = prepare(planned, device, results, listener)
    assert isinstance(job, Adversarial)  # as its protocol is
    return Prepared(
        dataset=str(planned.cell.dataset),
        train=len(job.pictures.train),
        held_out=len(job.pictures.held_out),
        shape=job.pictures.shape,
        real=len(job.reference.pictures),
        extractor=" and ".join(extractor.id for extractor in job.extractors),
    )


def create(cell: Cell, locate: Locate, device: torch.device) -> Job:
    """Build what a cell describes.

    Args:
        cell: what was asked.
        locate: gives the path of a user's own file from its name in the run folder.
        device: where to train.

    Raises:
        RequestError: a plugin cannot be used, or the parts do not fit together.
    """
    if cell.protocol.trains == "critic":
        return Alone(cell, cell.protocol, locate, device)
    if cell.protocol.trains == "generator of points":
        return Points(cell, cell.protocol, locate, device)
    return Adversarial(cell, locate, device)
