"""FID, KID and Inception Score of generated pictures, by torch-fidelity."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch
import torch_fidelity
from jaxtyping import UInt8
from torch import Tensor
from torch.utils.data import Dataset
from torch_fidelity import utils
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

from lipbench.dataset import digest
from lipbench.errors import RequestError, StoreError
from lipbench.measure.extractors import Extractor
from lipbench.places import cache_folder
from lipbench.schema import Evaluate

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


def is_cached(reference: Reference, extractor: Extractor) -> bool:
    """Whether the statistics of the real pictures are kept, so that nobody need look at them again."""
    return any(cache_folder().glob(f"{reference.cache_name(extractor)}-*.pt"))


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


@contextmanager
def _explained() -> Iterator[None]:
    """Say what it means that the cache cannot be written to."""
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise _unwritable(error.strerror or str(error)) from None
    except RuntimeError as error:  # torch's word for a full disk
        if "PytorchStreamWriter" not in str(error):
            raise
        raise _unwritable("no space is left") from None


def _unwritable(reason: str) -> StoreError:
    return StoreError(
        f"the cache folder {str(cache_folder())!r} cannot be written to: {reason}; expected room for the features of "
        f"the real pictures: free space, or set LIPBENCH_CACHE to another folder"
    )


def measure_real(
    reference: Reference, extractor: Extractor, *, cuda: bool = False, progress: Callable[[int], None]
) -> None:
    """Keep the features of the real pictures where `fidelity` finds them.

    They are kept part by part on the way, so that a measurement of hours that is stopped goes on from there. The parts
    hold whole batches: the features are those of one pass.

    Args:
        reference: the real pictures.
        extractor: whose features.
        cuda: whether to measure on a GPU.
        progress: is told how many pictures are measured.

    Raises:
        StoreError: the features cannot be kept.
    """
    registered = FEATURE_EXTRACTORS_REGISTRY[extractor.name]
    metrics = ["fid", "kid", *(["isc"] if extractor.no_score is None else [])]
    layers = sorted({registered.get_default_feature_layer_for_metric(metric) for metric in metrics})
    network = utils.create_feature_extractor(
        extractor.name, layers, cuda=cuda, feature_extractor_weights_path=str(extractor.weights), verbose=False
    )
    name, size = reference.cache_name(extractor), PART_BATCHES * extractor.batch_size

    def part(begin: int) -> dict[str, Tensor]:
        progress(begin)
        found: dict[str, Tensor] = utils.extract_featuresdict_from_input_id_cached(
            1,
            network,
            input1=_Bytes(reference.pictures[begin : begin + size], repeat=extractor.shape is None),
            input1_cache_name=f"part-from-{begin}-of-{name}",
            cache_root=str(cache_folder()),
            batch_size=extractor.batch_size,
            cuda=cuda,
            save_cpu_ram=True,
            verbose=False,
        )
        return found

    def whole() -> dict[str, Tensor]:
        parts = [part(begin) for begin in range(0, len(reference.pictures), size)]
        return {layer: torch.cat([found[layer] for found in parts]) for layer in layers}

    with _explained():
        utils.cache_lookup_group_recompute_all_on_any_miss(
            f"{name}-{network.get_name()}-features-",
            network.get_requested_features_list(),
            whole,
            cache_root=str(cache_folder()),
            verbose=False,
        )
        for kept in cache_folder().glob(f"part-from-*-of-{name}-*.pt"):
            kept.unlink(missing_ok=True)


def fidelity(
    fake: UInt8[Tensor, "n c h w"],
    reference: Reference,
    extractor: Extractor,
    settings: Evaluate,
    *,
    cuda: bool = False,
) -> dict[str, float | None]:
    """Compare generated pictures with real ones.

    Returns:
        ``fid``, ``kid`` and ``inception_score``, the latter two with ``_std`` over subsets and splits; None for an
        Inception Score that the extractor's weights cannot give.

    Raises:
        StoreError: the statistics of the real pictures cannot be kept.
    """
    repeat = extractor.shape is None
    with _explained():
        found = torch_fidelity.calculate_metrics(
            input1=_Bytes(fake, repeat=repeat),
            input2=_Bytes(reference.pictures, repeat=repeat),
            input2_cache_name=reference.cache_name(extractor),
            cache_root=str(cache_folder()),
            feature_extractor=extractor.name,
            feature_extractor_weights_path=str(extractor.weights),
            fid=True,
            kid=True,
            isc=extractor.no_score is None,
            kid_subsets=settings.kid_subsets,
            kid_subset_size=settings.kid_subset_size,
            kid_kernel_poly_gamma=extractor.kid_gamma,
            isc_splits=settings.isc_splits,
            batch_size=extractor.batch_size,
            cuda=cuda,
            save_cpu_ram=True,  # no loader processes: the pictures are in memory
            verbose=False,
        )
    return {
        "fid": found[torch_fidelity.KEY_METRIC_FID],
        "kid": found[torch_fidelity.KEY_METRIC_KID_MEAN],
        "kid_std": found[torch_fidelity.KEY_METRIC_KID_STD],
        "inception_score": found.get(torch_fidelity.KEY_METRIC_ISC_MEAN),
        "inception_score_std": found.get(torch_fidelity.KEY_METRIC_ISC_STD),
    }
