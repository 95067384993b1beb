"""What FID and its kin say of noise, and of real pictures: between these the numbers of generated ones lie."""

from typing import Any

import torch

from lipbench.interfaces.modes import Modes
from lipbench.measuring.features import Features
from lipbench.measuring.fidelity import Real, Reference, compare
from lipbench.measuring.modes import counted
from lipbench.request.schema import Evaluate
from lipbench.train.streams import generator

MOST = 5000  # pictures of a yardstick: it is there for orientation


def yardsticks(
    reference: Reference, real: Real, modes: Modes | None, extractor: Features, settings: Evaluate, *, cuda: bool
) -> dict[str, Any]:
    """Compare noise with real pictures, and one half of these with the other.

    Args:
        reference: the real pictures.
        real: the same, measured; the halves have their features.
        modes: tells pictures apart by their modes; None where nothing is counted.
        extractor: that measured them.
        settings: the protocol's ``evaluate`` table.
        cuda: whether to measure the noise on a GPU.

    Returns:
        ``noise`` and ``real``, each with what `compare` and `counted` give and the number of pictures.
    """
    size = (min(settings.samples, MOST), *reference.pictures.shape[1:])
    noise = torch.randint(0, 256, size, generator=generator(0, "noise")).to(torch.uint8)
    half = min(len(real.features["features"]) // 2, MOST)
    smaller = {key: min(getattr(settings, key), half, len(noise)) for key in ("kid_subset_size", "isc_splits")}
    settings = settings.model_copy(update=smaller)
    one, other = (
        {layer: torch.from_numpy(each[start::2][:half]) for layer, each in real.features.items()} for start in (0, 1)
    )
    found = extractor.extract(noise, cuda=cuda)
    fidelity = {
        "noise": (compare(found, real, extractor, settings), noise),
        "real": (compare(one, Real.of(other), extractor, settings), reference.pictures[::2][:half]),
    }
    return {
        name: numbers | counted(modes, pictures, None) | {"samples": len(pictures)}
        for name, (numbers, pictures) in fidelity.items()
    }
