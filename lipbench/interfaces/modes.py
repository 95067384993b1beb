"""Modes: what samples of a multimodal distribution are counted by."""

from abc import ABC, abstractmethod

from jaxtyping import Float, Int
from torch import Tensor


class Modes(ABC):
    """Tells samples apart by the mode to which they belong.

    Attributes:
        probabilities: of the modes under the real distribution, (k,), float64, on the CPU.
    """

    probabilities: Float[Tensor, " k"]

    @property
    def count(self) -> int:
        """The number of modes, k."""
        return len(self.probabilities)

    @abstractmethod
    def of(self, samples: Tensor) -> Int[Tensor, " n"]:
        """Return the mode of each sample, from 0 to k − 1: the nearest one, or the class that a classifier gives.

        Args:
            samples: points as floats, or pictures as bytes, (n, c, h, w).
        """
