"""Real handwritten digits, 8×8 and grey: 1,438 for training and 359 held out. They come with scikit-learn.

Source: Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI (its test set)
"""

import torch
from sklearn.datasets import load_digits
from torch import Tensor

from lipbench.interfaces.dataset import Dataset, Pictures


class Digits(Dataset):
    """Every fifth digit is held out: the writers follow one another, so both parts hold digits of each."""

    def load(self) -> Pictures:
        """Scale the sixteen grey levels to bytes and split."""
        levels = torch.from_numpy(load_digits().images)[:, None]
        train, held_out = _split((levels * (255 / 16)).round().to(torch.uint8))
        return Pictures(train=train, held_out=held_out)

    def labels(self) -> tuple[Tensor, Tensor]:
        """The digits in the training pictures and in the held-out ones, (1438,) and (359,)."""
        return _split(torch.from_numpy(load_digits().target))


def _split(all_of: Tensor) -> tuple[Tensor, Tensor]:
    held_out = torch.arange(len(all_of)) % 5 == 4
    return all_of[~held_out], all_of[held_out]
