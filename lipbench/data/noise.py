"""Uniform noise: nothing to learn, for timing and for trying things out without any data.

Source: a random number generator
"""

import torch

from lipbench.interfaces.dataset import Dataset, Pictures


class Noise(Dataset):
    """The same pictures at each call; a tenth as many are held out."""

    side: int = 32
    channels: int = 3
    count: int = 1024

    def __post_init__(self) -> None:
        if min(self.side, self.channels) < 1 or self.count < 10:
            raise ValueError("side and channels must be at least 1, and count at least 10")

    def load(self) -> Pictures:
        """Draw them."""
        rng = torch.Generator().manual_seed(0)
        size = (self.count + self.count // 10, self.channels, self.side, self.side)
        pictures = torch.randint(0, 256, size, generator=rng).to(torch.uint8)
        return Pictures(train=pictures[: self.count], held_out=pictures[self.count :])
