"""Real handwritten digits, 8×8 and grey: 1,438 for training and 359 held out. They come with scikit-learn.

Source: Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI (its test set)
"""

import torch
from sklearn.datasets import load_digits

from lipbench.interfaces.dataset import Dataset, Pictures


class Digits(Dataset):
    """Every fifth digit is held out: the writers follow one another, so both parts hold digits of each."""

    def load(self) -> Pictures:
        """Scale the sixteen grey levels to bytes and split."""
        levels = torch.from_numpy(load_digits().images)[:, None]
        pictures = (levels * (255 / 16)).round().to(torch.uint8)
        held_out = torch.arange(len(pictures)) % 5 == 4
        return Pictures(train=pictures[~held_out], held_out=pictures[held_out])
