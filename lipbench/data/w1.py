"""A pair of the W1 benchmark: funnels in a box, optimal transport along their rays, for a critic that is trained alone.

Paper: Korotin, Kolesov & Burnaev 2022, Kantorovich Strikes Back!, arXiv:2206.07767
Source: https://github.com/justkolesov/Wasserstein1Benchmark
"""

from pathlib import Path
from typing import TypeGuard

import torch
from torch import Tensor

from lipbench.data._funnels import SIDE, Funnels
from lipbench.disk.places import expanded
from lipbench.errors import RequestError
from lipbench.interfaces.dataset import Dataset
from lipbench.interfaces.pair import Pair

MOST = 1_000_000  # numbers in the centres
SPREAD = 0.1  # standard deviation of the offsets
NAMES = ("net.centers", "net.bias")


class Benchmark(Dataset):
    """Centres drawn by `seed`, or published ones: `path` is a file, or a folder with ``dim2_funnels4.pt`` and so on."""

    dim: int = 2
    funnels: int = 4
    seed: int = 0
    path: str = ""

    def __post_init__(self) -> None:
        if not (self.dim >= 1 and self.funnels >= 1 and self.dim * self.funnels <= MOST):
            raise ValueError(f"dim and funnels must be at least 1, and their product at most {MOST:,}")
        if self.path and self.seed:
            raise ValueError("the centres of a path are not drawn; leave seed out")

    def load(self) -> Pair:
        """Draw or read the centres."""
        if self.path:
            return Funnels(*self._published())
        rng = torch.Generator().manual_seed(self.seed)
        centres = SIDE * (2 * torch.rand(self.funnels, self.dim, generator=rng, dtype=torch.float64) - 1)
        return Funnels(centres, SPREAD * torch.randn(self.funnels, generator=rng, dtype=torch.float64))

    def _published(self) -> tuple[Tensor, Tensor]:
        path, asked = expanded(self.path), (self.funnels, self.dim)
        of_folder = path.is_dir()
        centres, offsets = _read(path / f"dim{self.dim}_funnels{self.funnels}.pt" if of_folder else path)
        # A file alone says its own size, and the defaults say nothing.
        if asked != tuple(centres.shape) and (of_folder or asked != (4, 2)):
            raise RequestError(
                f"{str(path)!r} holds {len(centres)} centres of {centres.shape[1]} numbers, and {self.funnels} funnels "
                f"in {self.dim} dimensions were asked for; expected the same: leave dim and funnels out"
            )
        return centres, offsets


def _read(path: Path) -> tuple[Tensor, Tensor]:
    """Centres and offsets of a file.

    Raises:
        RequestError: it is not there, holds anything but tensors, or these are not those of funnels.
    """
    wanted = "expected a state dict with net.centers (N, D) and net.bias (N,), as the W1 benchmark publishes them"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise RequestError(
            f"there is no file {str(path)!r} ({path.resolve()}); {wanted}. In a folder, dim and funnels choose the file"
        ) from None
    except Exception as error:  # a damaged file makes torch raise whatever it meets
        raise RequestError(f"{str(path)!r} is not a file of tensors alone ({type(error).__name__}); {wanted}") from None
    found = [state.get(name) if isinstance(state, dict) else None for name in NAMES]
    centres, offsets = found
    if not (_numbers(centres) and _numbers(offsets)):
        raise RequestError(f"{str(path)!r} lacks {' and '.join(NAMES)} with real numbers; {wanted}")
    if centres.ndim != 2 or offsets.shape != centres.shape[:1] or not centres.numel():
        shapes = f"net.centers {tuple(centres.shape)} and net.bias {tuple(offsets.shape)}"
        raise RequestError(f"{str(path)!r} holds {shapes}; {wanted}")
    if not (centres.isfinite().all() and offsets.isfinite().all() and centres.abs().max() <= SIDE):
        largest = [float(numbers.abs().max()) for numbers in (centres, offsets)]
        raise RequestError(
            f"{str(path)!r} holds centres up to {largest[0]:g} and offsets up to {largest[1]:g}; expected finite "
            f"centres inside the box [−{SIDE}, {SIDE}], and finite offsets"
        )
    return centres.double(), offsets.double()


def _numbers(found: object) -> TypeGuard[Tensor]:
    """Whether it is a plain tensor of real numbers."""
    return isinstance(found, Tensor) and found.layout == torch.strided and found.is_floating_point()
