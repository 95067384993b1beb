"""Real handwritten digits, 8×8 and grey: 1,438 for training and 359 held out. They come with scikit-learn.

Source: Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI (its test set)
"""

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lipbench.interfaces.dataset import Dataset, Pictures


class Digits(Dataset):
    """Every fifth digit is held out: the writers follow one another, so both parts hold digits of each."""

    def load(self) -> Pictures:
        """Scale the sixteen grey levels to bytes and split."""
        levels = _table()[:, :64].reshape(-1, 1, 8, 8)
        train, held_out = _split((levels * (255 / 16)).round().to(torch.uint8))
        return Pictures(train=train, held_out=held_out)

    def labels(self) -> tuple[Tensor, Tensor]:
        """The digits in the training pictures and in the held-out ones, (1438,) and (359,)."""
        return _split(_table()[:, 64].long())


def _table() -> Tensor:
    """A row a digit: 64 grey levels and the label. Read from the file alone: to import scikit-learn takes seconds."""
    found = find_spec("sklearn")
    assert found is not None and found.origin is not None  # a dependency
    with gzip.open(Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz") as file:
        return torch.from_numpy(np.loadtxt(file, delimiter=","))


def _split(all_of: Tensor) -> tuple[Tensor, Tensor]:
    held_out = torch.arange(len(all_of)) % 5 == 4
    return all_of[~held_out], all_of[held_out]
