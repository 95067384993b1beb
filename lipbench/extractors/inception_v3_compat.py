"""Stub."""

from torch import nn

from lipbench import Extractor


class Stub(Extractor):
    """Stub."""

    features = 1

    def load(self) -> nn.Module:
        """Stub."""
        return nn.Identity()
