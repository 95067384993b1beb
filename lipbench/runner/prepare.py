"""What is done once before any cell starts: everything is built and checked, real statistics are cached."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from lipbench.cell import Cell
from lipbench.dataset import digest, remarks
from lipbench.errors import RequestError, StoreError
from lipbench.measure.fidelity import Reference, fidelity, is_cached, notes
from lipbench.runner.alone import Alone
from lipbench.runner.build import Built, build, check
from lipbench.runner.device import choose_device
from lipbench.runner.estimate import duration
from lipbench.runner.parts import Locate
from lipbench.schema import CriticProtocol
from lipbench.store import to_json, write_atomically
from lipbench.train.streams import generator
from lipbench.train.training import Training

MOST = 5000  # pictures of a yardstick: it is there for orientation
CPU_SECONDS = 0.15  # that the Inception network takes for a picture on one core, roughly


def prepare(
    cell: Cell, locate: Locate, device: str, results: Path, note: Callable[[str], None] = lambda text: None
) -> None:
    """Build and check what `cell` needs; measure once what its numbers are compared with.

    Args:
        cell: what was asked.
        locate: gives the path of a user's own file from its name in the run folder.
        device: ``auto``, ``cpu``, ``cuda``, …
        results: where the yardsticks are kept.
        note: is told what a reader of the numbers must know.

    Raises:
        RequestError: something does not fit together.
        StoreError: the cache or the results folder cannot be written to.
    """
    if not isinstance(cell.protocol, CriticProtocol):
        prepare_pictures(cell, locate, device, results, note)
        return
    job = Alone(cell, cell.protocol, locate, choose_device(device))
    job.check()
    _note_engine(cell, job.training, note)
    path, basis = yardstick_path(results, cell), {"pair": job.pair.digest}
    _check_basis(_read(path), basis, cell, results)
    _write(path, {"w1_true": job.pair.w1, "dim": job.pair.dim} | basis)


def prepare_pictures(cell: Cell, locate: Locate, device: str, results: Path, note: Callable[[str], None]) -> Built:
    """`prepare` for a cell with a generator: also measure the real pictures and the yardsticks."""
    protocol, chosen = cell.adversarial, choose_device(device)
    built = build(cell, locate, chosen)
    check(built)
    for text in remarks(built.pictures):
        note(f"{cell.dataset}: {text}.")
    samples, real = protocol.evaluate.samples, len(built.reference.pictures)
    for text in notes(samples, real, built.extractor):
        note(text)
    _note_engine(cell, built.trainer, note)
    if chosen.type == "cpu" and built.extractor.shape is None and samples + real > 2 * MOST:
        each, once = (duration(count * CPU_SECONDS) for count in (samples, real + 2 * min(samples, MOST)))
        note(
            f"On a CPU the Inception network takes about {once} once for the real pictures, and {each} for each "
            f"evaluation; for a try give --quick, or --set evaluate.samples=1000 --set evaluate.real_samples=1000"
        )
    path = yardstick_path(results, cell)
    known = _read(path)
    basis = {"pictures": digest(built.pictures.train, built.pictures.held_out), "extractor": built.extractor.id}
    _check_basis(known, basis, cell, results)
    if not (known and is_cached(built.reference, built.extractor)):
        _write(path, measure_yardsticks(cell, built, cuda=chosen.type == "cuda") | basis)
    return built


def _note_engine(cell: Cell, training: Training, note: Callable[[str], None]) -> None:
    if training.engine.reason is not None:
        note(f"Gradients of {cell.method} by double backward: {training.engine.reason}.")


def _check_basis(known: dict[str, Any], basis: dict[str, str], cell: Cell, results: Path) -> None:
    """See that runs made before, under the same name, were made from the same data."""
    for key, present in basis.items():
        if known.get(key, present) != present:
            raise RequestError(
                f"{str(results)!r} holds runs of {cell.dataset} with {key} {known[key]}, and these have {present}; "
                f"expected the same, or numbers of one table could not be compared: choose another --results"
            )


def _write(path: Path, record: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{str(path.parent)!r} cannot be made: {error.strerror}; free space, or choose another --results"
        ) from None
    write_atomically(path, to_json(record))


def yardstick_path(results: Path, cell: Cell) -> Path:
    """Where the yardsticks of a comparison are."""
    return results / "yardsticks" / f"{cell.comparison_id}.json"


def _read(path: Path) -> dict[str, Any]:
    """The yardsticks that are there already, with what they were made from; nothing where they are damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def measure_yardsticks(cell: Cell, built: Built, *, cuda: bool) -> dict[str, Any]:
    """What the same measures say of noise, and of real pictures: one half against the other.

    Raises:
        StoreError: the statistics cannot be kept.
    """
    settings, real = cell.adversarial.evaluate, built.reference.pictures
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
        "noise": fidelity(noise, built.reference, built.extractor, reduced, cuda=cuda) | {"samples": len(noise)},
        "real": fidelity(real[::2][:half], other, built.extractor, reduced, cuda=cuda) | {"samples": half},
    }
