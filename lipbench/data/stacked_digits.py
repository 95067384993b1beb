"""Three handwritten digits in three channels, 8×8: 1,000 modes, which a classifier counts.

Source: the digits of scikit-learn, stacked as MNIST is in Metz et al. 2017, Unrolled GANs, arXiv:1611.02163
"""

import torch
from jaxtyping import Int, UInt8
from torch import Tensor, nn

from lipbench.data.digits import Digits
from lipbench.interfaces.dataset import Dataset, Pictures
from lipbench.interfaces.modes import Modes
from lipbench.plugins.kinds import EXTRACTOR
from lipbench.plugins.names import Name
from lipbench.plugins.registry import find, instance

DIGITS, CHANNELS = 10, 3
HELD_OUT = 5  # one held-out stack for so many of the training
MOST = 1_000_000  # stacks: 192 MB
BATCH = 2000  # stacks that are classified at a time


class StackedDigits(Dataset):
    """`count` random stacks of training digits, and a fifth as many of held-out ones; the same at each call."""

    count: int = 20_000

    def __post_init__(self) -> None:
        if not HELD_OUT <= self.count <= MOST:
            raise ValueError(f"count is {self.count}; it must be from {HELD_OUT} to {MOST:,}")

    def load(self) -> Pictures:
        """Draw three digits for each stack, independently."""
        digits = Digits().load()
        parts = ((digits.train, self.count), (digits.held_out, self.count // HELD_OUT))
        train, held_out = (part[:, 0][_drawn(len(part), count, seed)] for seed, (part, count) in enumerate(parts))
        return Pictures(train=train, held_out=held_out, modes=_Triples(digits.train))

    def labels(self) -> tuple[Int[Tensor, " n"], Int[Tensor, " m"]]:
        """The modes of the training stacks and of the held-out ones, by the labels of their digits."""
        counts = self.count, self.count // HELD_OUT
        train, held_out = (
            _mode(part[_drawn(len(part), count, seed)])
            for seed, (part, count) in enumerate(zip(Digits().labels(), counts, strict=True))
        )
        return train, held_out


class _Triples(Modes):
    """100a + 10b + c of a stack whose channels hold the digits a, b and c, as lipbench's classifier reads them.

    Args:
        digits: those of which stacks are made.
    """

    def __init__(self, digits: UInt8[Tensor, "k 1 8 8"]) -> None:
        self._classifier: nn.Module = instance(find(EXTRACTOR, Name("digits-cnn")), {}).load()
        one = torch.bincount(self._read(digits), minlength=DIGITS).double() / len(digits)
        # Those by which stacks are drawn: shares among few stacks have zeros, and vary with their number.
        self.probabilities = torch.cartesian_prod(one, one, one).prod(dim=1)

    def of(self, samples: UInt8[Tensor, "n 3 8 8"]) -> Int[Tensor, " n"]:
        """Classify each channel, on the samples' device."""
        read = [self._read(part.reshape(-1, 1, 8, 8)) for part in samples.split(BATCH)]
        return _mode(torch.cat(read).reshape(-1, CHANNELS))

    @torch.no_grad()
    def _read(self, digits: UInt8[Tensor, "k 1 8 8"]) -> Int[Tensor, " k"]:
        _, logits = self._classifier.to(digits.device)(digits)
        found: Tensor = logits.argmax(dim=1)
        return found


def _drawn(digits: int, count: int, seed: int) -> Int[Tensor, "n 3"]:
    return torch.randint(digits, (count, CHANNELS), generator=torch.Generator().manual_seed(seed))


def _mode(triples: Int[Tensor, "n 3"]) -> Int[Tensor, " n"]:
    found: Tensor = (triples * torch.tensor([100, 10, 1], device=triples.device)).sum(dim=1)
    return found
