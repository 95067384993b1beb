"""STL-10: 100,000 unlabelled colour photographs for training and 8,000 held out, 96×96 reduced to 48×48.

Source: Coates, Lee & Ng 2011, An Analysis of Single-Layer Networks in Unsupervised Feature Learning, AISTATS
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.datasets import STL10
from torchvision.transforms.v2.functional import resize

from lipbench.data import _files
from lipbench.interfaces.dataset import Dataset, Pictures

FOLDER = STL10.base_folder
PUBLISHED = dict([*STL10.train_list, *STL10.test_list])
SIDE, BATCH = 96, 1000


class Stl10(Dataset):
    """Reduced by an antialiased bilinear filter, and kept so: reading the original takes a minute."""

    size: int = 48

    def __post_init__(self) -> None:
        if not 1 <= self.size <= SIDE:
            raise ValueError(f"size must be between 1 and {SIDE}")

    def load(self) -> Pictures:
        """Check both files' digests, and reduce them if that was not done before."""
        train, held_out = (self._part(name) for name in ("unlabeled_X.bin", "test_X.bin"))
        return Pictures(train=train, held_out=held_out)

    def _part(self, name: str) -> Tensor:
        def make() -> _files.Decoded:
            folder = _files.find(FOLDER) or _files.fetch("STL-10", FOLDER, lambda work: STL10(work, download=True))
            _files.check_md5(folder, {name: PUBLISHED[name]})
            return _files.Decoded(_reduce(folder / name, self.size))

        return _files.decoded(f"stl10-{PUBLISHED[name][:8]}-{self.size}", __file__, make).pictures


def _reduce(path: Path, size: int) -> Tensor:
    """A picture is three planes, each written column by column."""
    columns = np.memmap(path, np.uint8, mode="c").reshape(-1, 3, SIDE, SIDE)
    parts = torch.from_numpy(columns).split(BATCH)
    return torch.cat([resize(part.transpose(2, 3), [size, size], antialias=True) for part in parts])
