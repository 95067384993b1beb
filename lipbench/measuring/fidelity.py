"""FID, KID and Inception Score of generated pictures, by torch-fidelity."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import torch
import torch_fidelity
from jaxtyping import UInt8
from torch import Tensor
from torch.utils.data import Dataset
from torch_fidelity import FeatureExtractorBase, utils
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

from lipbench.disk.kept import Arrays, Note, kept
from lipbench.disk.places import cache_folder
from lipbench.errors import RequestError
from lipbench.interfaces.dataset import digest
from lipbench.measuring.extractors import Extractor
from lipbench.request.schema import Evaluate

PART_BATCHES = 10  # of real pictures, after which their features are kept


class _Bytes(Dataset[Tensor]):
    """Pictures in memory as torch-fidelity wants them: bare tensors, no tuples; grey ones in three equal channels.

    Args:
        pictures: bytes, (n, c, h, w).
        repeat: whether one channel is repeated to three.
    """

    def __init__(self, pictures: Tensor, *, repeat: bool) -> None:
        self.pictures = pictures.cpu()
        self.channels = 3 if repeat else pictures.shape[1]

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Tensor:
        return self.pictures[index].expand(self.channels, -1, -1)


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

    def cache_name(self, extractor: Extractor) -> str:
        """Data, split, content and weights: statistics under this name can be of nothing else."""
        readable = re.sub(r"[^A-Za-z0-9.]+", "-", self.name).strip("-")[-60:]
        return f"{readable}-{self.digest}-{extractor.id}".replace("@", "-")


def notes(fake: int, real: int, extractor: Extractor) -> list[str]:
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


def measure_real(
    reference: Reference,
    extractor: Extractor,
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
    folder, name, size = (
        cache_folder() / "features",
        reference.cache_name(extractor),
        PART_BATCHES * extractor.batch_size,
    )
    layers, network = _layers(extractor), cache(lambda: _network(extractor, cuda=cuda))

    def fit(arrays: Arrays, count: int) -> bool:
        return (
            arrays.keys() == set(layers.values())
            and all(each.dtype.kind == "f" and each.ndim == 2 and len(each) == count for each in arrays.values())
            and arrays[layers["fid"]].shape[1] == extractor.features
        )

    def part(begin: int) -> Arrays:
        progress(begin)
        pictures = reference.pictures[begin : begin + size]
        return kept(
            folder / f"{name}-from-{begin}.npz",
            f"features of {name} from {begin}",
            lambda: {
                layer: each.numpy() for layer, each in _extract(network(), pictures, extractor, cuda=cuda).items()
            },
            lambda arrays: fit(arrays, len(pictures)),
            note,
        )

    def whole() -> Arrays:
        parts = [part(begin) for begin in range(0, len(reference.pictures), size)]
        return {layer: np.concatenate([found[layer] for found in parts]) for layer in parts[0]}

    path, count = folder / f"{name}.npz", len(reference.pictures)
    features = kept(path, f"features of {name}", whole, lambda arrays: fit(arrays, count), note)
    compared = features[layers["fid"]]
    shapes = {"mu": compared.shape[1:], "sigma": 2 * compared.shape[1:]}
    moments = kept(
        folder / f"{name}-moments.npz",
        f"moments of {name}",
        lambda: fid_features_to_statistics(torch.from_numpy(compared)),
        lambda arrays: (
            {key: each.shape for key, each in arrays.items()} == shapes
            and all(each.dtype.kind == "f" for each in arrays.values())
        ),
        note,
    )
    for done in folder.glob(f"{name}-from-*.npz"):
        done.unlink(missing_ok=True)
    return Real(features, moments)


def _layers(extractor: Extractor) -> dict[str, str]:
    """The layer whose features each metric compares."""
    registered = FEATURE_EXTRACTORS_REGISTRY[extractor.name]
    metrics = ["fid", "kid", *(["isc"] if extractor.no_score is None else [])]
    return {metric: registered.get_default_feature_layer_for_metric(metric) for metric in metrics}


def _network(extractor: Extractor, *, cuda: bool) -> FeatureExtractorBase:
    return utils.create_feature_extractor(
        extractor.name,
        sorted(set(_layers(extractor).values())),
        cuda=cuda,
        feature_extractor_weights_path=str(extractor.weights),
        verbose=False,
    )


def _extract(network: FeatureExtractorBase, pictures: Tensor, extractor: Extractor, *, cuda: bool) -> dict[str, Tensor]:
    """Features by layer, on the CPU; torch-fidelity's own cache is not used, as it runs what its files say."""
    found: dict[str, Tensor] = utils.extract_featuresdict_from_input_id(
        1,
        network,
        input1=_Bytes(pictures, repeat=extractor.shape is None),
        batch_size=extractor.batch_size,
        cuda=cuda,
        save_cpu_ram=True,  # no loader processes: the pictures are in memory
        verbose=False,
    )
    return found


def fidelity(
    fake: UInt8[Tensor, "n c h w"],
    reference: Reference,
    extractor: Extractor,
    settings: Evaluate,
    *,
    cuda: bool = False,
    note: Note = print,
) -> dict[str, float | None]:
    """Compare generated pictures with real ones.

    Returns:
        ``fid``, ``kid`` and ``inception_score``, the latter two with ``_std`` over subsets and splits; None for an
        Inception Score that the extractor's weights cannot give.

    Raises:
        StoreError: the statistics of the real pictures cannot be kept.
    """
    real, layers = measure_real(reference, extractor, cuda=cuda, note=note), _layers(extractor)
    features = _extract(_network(extractor, cuda=cuda), fake, extractor, cuda=cuda)
    moments = fid_features_to_statistics(features[layers["fid"]])
    found: dict[str, Any] = fid_statistics_to_metric(moments, real.moments, verbose=False)
    found |= kid_features_to_metric(
        features[layers["kid"]],
        torch.from_numpy(real.features[layers["kid"]]),
        kid_subsets=settings.kid_subsets,
        kid_subset_size=settings.kid_subset_size,
        kid_kernel_poly_gamma=extractor.kid_gamma,
        verbose=False,
    )
    if "isc" in layers:
        found |= isc_features_to_metric(features[layers["isc"]], settings.isc_splits)
    return {
        "fid": found[torch_fidelity.KEY_METRIC_FID],
        "kid": found[torch_fidelity.KEY_METRIC_KID_MEAN],
        "kid_std": found[torch_fidelity.KEY_METRIC_KID_STD],
        "inception_score": found.get(torch_fidelity.KEY_METRIC_ISC_MEAN),
        "inception_score_std": found.get(torch_fidelity.KEY_METRIC_ISC_STD),
    }
