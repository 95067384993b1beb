"""What FID and its kin say of noise, and of real pictures: between these the numbers of generated ones lie."""

from typing import Any

import torch

from lipbench.measuring.features import Features
from lipbench.measuring.fidelity import Real, compare
from lipbench.request.schema import Evaluate
from lipbench.train.streams import generator

MOST = 5000  # pictures of a yardstick: it is there for orientation


def yardsticks(
    real: Real, shape: tuple[int, int, int], extractor: Features, settings: Evaluate, *, cuda: bool
) -> dict[str, Any]:
    """Compare noise with real pictures, and one half of these with the other.

    Args:
        real: the real pictures, measured; the halves have their features.
        shape: of a picture.
        extractor: that measured them.
        settings: the protocol's ``evaluate`` table.
        cuda: whether to measure the noise on a GPU.

    Returns:
        ``noise`` and ``real``, each with what `compare` gives and the number of pictures.
    """
    size = (min(settings.samples, MOST), *shape)
    noise = torch.randint(0, 256, size, generator=generator(0, "noise")).to(torch.uint8)
    half = min(len(real.features["features"]) // 2, MOST)
    smaller = {key: min(getattr(settings, key), half, len(noise)) for key in ("kid_subset_size", "isc_splits")}
    settings = settings.model_copy(update=smaller)
    one, other = (
        {layer: torch.from_numpy(each[start::2][:half]) for layer, each in real.features.items()} for start in (0, 1)
    )
    found = extractor.extract(noise, cuda=cuda)
    return {
        "noise": compare(found, real, extractor, settings) | {"samples": len(noise)},
        "real": compare(one, Real.of(other), extractor, settings) | {"samples": half},
    }
