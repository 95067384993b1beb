"""The "standard CNN" pair of `cnn-32` for 48×48 pictures."""

from typing import ClassVar

from lipbench.nets.cnn_32 import Cnn32


class Cnn48(Cnn32):
    """Layers as those of `Cnn32`, on sides half as long again."""

    _side: ClassVar[int] = 48
