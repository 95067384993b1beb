"""FID, KID and Inception Score of generated pictures, by torch-fidelity."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch_fidelity
from jaxtyping import UInt8
from torch import Tensor
from torch.utils.data import Dataset

from lipbench.dataset import digest
from lipbench.errors import RequestError, StoreError
from lipbench.measure.extractors import Extractor
from lipbench.places import cache_folder
from lipbench.schema import Evaluate


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
