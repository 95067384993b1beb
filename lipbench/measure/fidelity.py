"""FID, KID and Inception Score of generated pictures, by torch-fidelity."""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch_fidelity
from jaxtyping import UInt8
from torch import Tensor
from torch.utils.data import Dataset

from lipbench.measure.extractors import Extractor
from lipbench.protocol import Evaluate


class _Bytes(Dataset[Tensor]):
    """Pictures in memory as torch-fidelity wants them: bare tensors, no tuples."""

    def __init__(self, pictures: Tensor) -> None:
        self.pictures = pictures.cpu()

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Tensor:
        return self.pictures[index]


@dataclass(frozen=True)
class Reference:
    """The real pictures that generated ones are compared with.

    Attributes:
        pictures: the pictures themselves.
        name: what they are, such as ``digits-train``; part of the name under which their statistics are cached.
    """

    pictures: UInt8[Tensor, "n c h w"]
    name: str

    def cache_name(self, extractor: Extractor) -> str:
        """Data, split, content and weights: statistics under this name can be of nothing else."""
        content = sha256(self.pictures.cpu().numpy().tobytes()).hexdigest()[:8]
        return f"{self.name}-{content}-{extractor.id}".replace("/", "_").replace("@", "-")


def cache_folder() -> Path:
    """Where statistics of real pictures are kept: ``$LIPBENCH_CACHE``, or ``lipbench`` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("LIPBENCH_CACHE") or Path(base, "lipbench"))


def fidelity(
    fake: UInt8[Tensor, "n c h w"],
    reference: Reference,
    extractor: Extractor,
    settings: Evaluate,
    *,
    cuda: bool = False,
) -> dict[str, float]:
    """Compare generated pictures with real ones.

    Returns:
        ``fid``, ``kid`` and ``inception_score``, the latter two with ``_std`` over subsets and splits.
    """
    found = torch_fidelity.calculate_metrics(
        input1=_Bytes(fake),
        input2=_Bytes(reference.pictures),
        input2_cache_name=reference.cache_name(extractor),
        cache_root=str(cache_folder()),
        feature_extractor=extractor.name,
        fid=True,
        kid=True,
        isc=True,
        kid_subsets=settings.kid_subsets,
        kid_subset_size=settings.kid_subset_size,
        kid_kernel_poly_gamma=extractor.kid_gamma,
        isc_splits=settings.isc_splits,
        batch_size=500,
        cuda=cuda,
        save_cpu_ram=True,  # no loader processes: the pictures are in memory
        verbose=False,
    )
    return {
        "fid": found[torch_fidelity.KEY_METRIC_FID],
        "kid": found[torch_fidelity.KEY_METRIC_KID_MEAN],
        "kid_std": found[torch_fidelity.KEY_METRIC_KID_STD],
        "inception_score": found[torch_fidelity.KEY_METRIC_ISC_MEAN],
        "inception_score_std": found[torch_fidelity.KEY_METRIC_ISC_STD],
    }
