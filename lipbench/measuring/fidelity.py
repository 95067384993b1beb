"""FID, KID and Inception Score of generated pictures, by torch-fidelity."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
import torch
import torch_fidelity
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

from lipbench.disk.kept import Arrays, Note, kept
from lipbench.disk.places import cache_folder
from lipbench.errors import RequestError
from lipbench.interfaces.dataset import digest
from lipbench.measuring.features import Features
from lipbench.request.schema import Evaluate

TRIED = 2  # pictures whose features are taken again before those of a file are used
CLOSE = 1e-2  # of the largest feature: far beyond what another device or precision changes
PART_BATCHES = 10  # of real pictures, after which their features are kept


@dataclass(frozen=True)
class Reference:
    """The real pictures that generated ones are compared with.

    Attributes:
        pictures: the pictures themselves.
        name: what they are, such as ``digits-train``; part of the name under which their statistics are cached.
    """

    pictures: UInt8[Tensor, "n c h w"]
    name: str

    @cached_property
    def digest(self) -> str:
        """Eight hex digits of their content."""
        return digest(self.pictures)

    def cache_name(self, extractor: Features) -> str:
        """Data, split, content and weights: statistics under this name can be of nothing else."""
        readable, measured = (_plain(text).strip("-")[-60:] for text in (self.name, extractor.id))
        if measured != extractor.id.replace("@", "-"):  # what is left out may be all that tells two extractors apart
            measured += f"-{sha256(extractor.id.encode()).hexdigest()[:8]}"
        return f"{readable}-{self.digest}-{measured}"


def notes(fake: int, real: int, extractor: Features) -> list[str]:
    """What a reader must know about numbers from so many pictures and this extractor."""
    said = []
    if min(fake, real) < extractor.features:
        said.append(
            f"FID of {fake:,} pictures against {real:,} from {extractor.features:,} features is unstable: compare KID, "
            f"or evaluate more pictures."
        )
    return said + ([extractor.no_score] if extractor.no_score else [])


def fitted(settings: Evaluate, fake: int, real: int) -> Evaluate:
    """The settings with KID's subsets and the splits of the Inception Score as small as so many pictures make them."""
    smaller = min(fake, real)
    # A subset that is the whole set would always be the same: its spread would be 0 and mean nothing.
    subset = settings.kid_subset_size if settings.kid_subset_size < smaller else max(2, smaller // 2)
    return settings.model_copy(update={"kid_subset_size": subset, "isc_splits": min(settings.isc_splits, fake)})


def check_counts(fake: int, real: int, settings: Evaluate) -> None:
    """See that there are pictures enough for KID's subsets and the splits of the Inception Score.

    Raises:
        RequestError: there are not.
    """
    smaller = min(fake, real)
    if smaller < settings.kid_subset_size:
        raise RequestError(
            f"evaluate.kid_subset_size is {settings.kid_subset_size}, but there are {smaller} pictures to draw from; "
            f"expected at most as many: --set evaluate.kid_subset_size={smaller}"
        )
    if fake < settings.isc_splits:
        raise RequestError(
            f"evaluate.isc_splits is {settings.isc_splits}, but there are {fake} pictures to split; "
            f"expected at most as many: --set evaluate.isc_splits={fake}"
        )


@dataclass(frozen=True)
class Real:
    """What is compared of the real pictures.

    Attributes:
        features: by layer.
        moments: mean and covariance of the features that FID compares, as ``mu`` and ``sigma``.
    """

    features: Arrays
    moments: Arrays

    @classmethod
    def of(cls, features: Mapping[str, Tensor]) -> "Real":
        """Of features as `Features.extract` gives them."""
        moments = fid_features_to_statistics(features["features"])
        return cls({layer: each.numpy() for layer, each in features.items()}, moments)


def measure_real(
    reference: Reference,
    extractor: Features,
    *,
    cuda: bool = False,
    progress: Callable[[int], None] = lambda done: None,
    note: Note = print,
) -> Real:
    """Features of the real pictures and their moments, kept in the cache.

    They are kept part by part on the way, so that a measurement of hours that is stopped goes on from there. The parts
    hold whole batches: the features are those of one pass.

    Args:
        reference: the real pictures.
        extractor: whose features.
        cuda: whether to measure on a GPU.
        progress: is told how many pictures are measured.
        note: is told of files of the cache that cannot be used.

    Raises:
        StoreError: the features cannot be kept.
    """
    folder, name = cache_folder() / "features", reference.cache_name(extractor)
    size, layers = PART_BATCHES * extractor.batch_size, set(extractor.layers)

    def fit(arrays: Arrays, pictures: Tensor) -> bool:
        count = len(pictures)
        return (
            arrays.keys() == layers
            and all(each.dtype.kind == "f" and each.ndim == 2 and len(each) == count for each in arrays.values())
            and arrays["features"].shape[1] == extractor.features
            and _close(arrays["features"][:TRIED], extractor.extract(pictures[:TRIED], cuda=cuda)["features"].numpy())
        )

    def part(begin: int) -> Arrays:
        progress(begin)
        pictures = reference.pictures[begin : begin + size]
        return kept(
            folder / f"{name}-from-{begin}.npz",
            f"features of {name} from {begin}",
            lambda: {layer: each.numpy() for layer, each in extractor.extract(pictures, cuda=cuda).items()},
            lambda arrays: fit(arrays, pictures),
            note,
        )

    def whole() -> Arrays:
        parts = [part(begin) for begin in range(0, len(reference.pictures), size)]
        return {layer: np.concatenate([found[layer] for found in parts]) for layer in parts[0]}

    path = folder / f"{name}.npz"
    features = kept(path, f"features of {name}", whole, lambda arrays: fit(arrays, reference.pictures), note)
    compared = features["features"]
    shapes = {"mu": compared.shape[1:], "sigma": 2 * compared.shape[1:]}
    moments = kept(
        folder / f"{name}-moments.npz",
        f"moments of {name}",
        lambda: fid_features_to_statistics(torch.from_numpy(compared)),
        lambda arrays: (
            {key: each.shape for key, each in arrays.items()} == shapes
            and all(each.dtype.kind == "f" for each in arrays.values())
            and _close(arrays["mu"], compared.mean(axis=0))
        ),
        note,
    )
    for done in folder.glob(f"{name}-from-*.npz"):
        done.unlink(missing_ok=True)
    return Real(features, moments)


def _close(found: NDArray[Any], taken: NDArray[Any]) -> bool:
    """Whether numbers from a file are of the network that is there: its code or its weights may have changed unseen."""
    return bool(np.allclose(found, taken, rtol=CLOSE, atol=CLOSE * float(np.abs(taken).max())))


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", text)


def frechet(fake: Mapping[str, Tensor], real: Real) -> float:
    """FID alone of generated pictures, by their features as `Features.extract` gives them."""
    moments = fid_features_to_statistics(fake["features"])
    found: dict[str, float] = fid_statistics_to_metric(moments, real.moments, verbose=False)
    return found[torch_fidelity.KEY_METRIC_FID]


def compare(fake: Mapping[str, Tensor], real: Real, extractor: Features, settings: Evaluate) -> dict[str, float | None]:
    """Compare features of generated pictures, as `Features.extract` gives them, with real ones.

    Returns:
        ``fid``, ``kid`` and ``inception_score``, the latter two with ``_std`` over subsets and splits; None for an
        Inception Score where the extractor gives no logits.
    """
    found: dict[str, Any] = kid_features_to_metric(
        fake["features"],
        torch.from_numpy(real.features["features"]),
        kid_subsets=settings.kid_subsets,
        kid_subset_size=settings.kid_subset_size,
        kid_kernel_poly_gamma=extractor.kid_gamma,
        verbose=False,
    )
    if extractor.no_score is None:
        found |= isc_features_to_metric(fake["logits"], settings.isc_splits)
    return {
        "fid": frechet(fake, real),
        "kid": found[torch_fidelity.KEY_METRIC_KID_MEAN],
        "kid_std": found[torch_fidelity.KEY_METRIC_KID_STD],
        "inception_score": found.get(torch_fidelity.KEY_METRIC_ISC_MEAN),
        "inception_score_std": found.get(torch_fidelity.KEY_METRIC_ISC_STD),
    }
