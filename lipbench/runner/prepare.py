"""What is done once before any cell starts: everything is built and checked, real statistics are cached."""

from pathlib import Path

import torch

from lipbench.cell import Cell
from lipbench.errors import StoreError
from lipbench.measure.fidelity import Reference, cache_folder, fidelity
from lipbench.runner.build import Built, Locate, build, check, choose_device
from lipbench.store import to_json, write_atomically
from lipbench.train.streams import generator


def prepare(cell: Cell, locate: Locate, device: str, results: Path) -> None:
    """Build and check what `cell` needs, and measure the yardsticks of its comparison if that was not done yet.

    Raises:
        RequestError: something does not fit together.
        StoreError: the cache or the results folder cannot be written to.
    """
    chosen = choose_device(device)
    built = build(cell, locate, chosen)
    check(built)
    path = yardstick_path(results, cell)
    if not path.exists():
        try:
            cache_folder().mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"cache folder {str(cache_folder())!r} cannot be made: {error.strerror}; set LIPBENCH_CACHE to another"
            ) from None
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, to_json(yardsticks(cell, built, cuda=chosen.type == "cuda")))


def yardstick_path(results: Path, cell: Cell) -> Path:
    """Where the yardsticks of a comparison are."""
    return results / "yardsticks" / f"{cell.comparison_id}.json"


def yardsticks(cell: Cell, built: Built, *, cuda: bool) -> dict[str, dict[str, float] | str]:
    """What the same measures say of noise, and of real pictures: one half against the other."""
    settings, real = cell.protocol.evaluate, built.reference.pictures
    rng = generator(0, "noise")
    noise = torch.randint(0, 256, (settings.samples, *real.shape[1:]), generator=rng).to(torch.uint8)
    half = len(real) // 2
    halved = settings.model_copy(update={"kid_subset_size": min(settings.kid_subset_size, half)})
    other = Reference(real[1::2][:half], f"{built.reference.name}-half")
    return {
        "noise": fidelity(noise, built.reference, built.extractor, settings, cuda=cuda) | {"samples": len(noise)},
        "real": fidelity(real[::2][:half], other, built.extractor, halved, cuda=cuda) | {"samples": half},
        "extractor": built.extractor.id,
    }
