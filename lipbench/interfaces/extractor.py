"""The plugin interface for feature extractors: networks whose features of pictures are compared."""

from pathlib import Path
from typing import ClassVar

from torch import nn

from lipbench.interfaces.plugin import Plugin


class Extractor(Plugin):
    """A network whose features FID, KID and other measures of pictures compare.

    A plugin also says, as a constant or a property, how many ``features`` it gives for a picture.

    Attributes:
        batch_size: pictures at a time.
        shape: the one shape of pictures that it takes, channels first; None where any will do: pictures of one channel
            are repeated to three.
        kid_gamma: the factor of the inner product in KID's kernel; None is the usual 1 / (number of features).
        seconds_per_picture: on one core of a CPU, roughly, for forecasts.
    """

    batch_size: ClassVar[int] = 64
    shape: ClassVar[tuple[int, int, int] | None] = None
    kid_gamma: ClassVar[float | None] = None
    seconds_per_picture: ClassVar[float] = 0.0

    def load(self) -> nn.Module:
        """Return the network: bytes (n, c, h, w) → features (n, k), or a pair of features and logits (n, classes).

        Inception Score is measured where there are logits.

        Raises:
            RequestError: its weights are missing or damaged.
        """
        raise NotImplementedError

    def weights(self) -> Path | None:
        """Return the file of its weights, whose digest stands beside every number; None if it has none.

        Raises:
            RequestError: the file is missing.
        """
        return None
