"""The "standard CNN" pair for 32×32 pictures; the critic is piecewise linear and normalises nothing.

Weights are drawn from N(0, .02²), biases are 0.

Paper: Miyato et al. 2018, arXiv:1802.05957, table 3, with the details of Wu et al. 2021, arXiv:2109.02235
"""

from itertools import pairwise
from typing import ClassVar

from torch import nn

from lipbench.nets import Wide, check_size

SLOPE = 0.1
# Output channels in widths and whether the side is halved, layer by layer.
CRITIC = [(1, False), (2, True), (2, False), (4, True), (4, False), (8, True), (8, False)]


class Cnn32(Wide):
    """`width` channels in the critic's first layer, and in the generator's last."""

    _side: ClassVar[int] = 32
    width: int = 64

    def make(self, image_shape: tuple[int, int, int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
        """See `Architecture.make`."""
        channels, side, _ = check_size(f"cnn-{self._side}", image_shape, self._side)
        pair = self._generator(channels, side // 8, latent_dim), self._critic(channels, side // 8)
        for net in pair:
            net.apply(_initialise)
        return pair

    def _generator(self, channels: int, side: int, latent_dim: int) -> nn.Module:
        widths = [factor * self.width for factor in (8, 4, 2, 1)]
        layers: list[nn.Module] = [nn.Linear(latent_dim, widths[0] * side**2), nn.Unflatten(1, (widths[0], side, side))]
        layers += [nn.BatchNorm2d(widths[0]), nn.ReLU()]
        for inputs, outputs in pairwise(widths):
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
        return nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], channels, 3, padding=1), nn.Tanh())

    def _critic(self, channels: int, side: int) -> nn.Module:
        layers: list[nn.Module] = []
        inputs = channels
        for factor, halved in CRITIC:
            kernel, stride = (4, 2) if halved else (3, 1)
            outputs = factor * self.width
            layers += [nn.Conv2d(inputs, outputs, kernel, stride, padding=1), nn.LeakyReLU(SLOPE)]
            inputs = outputs
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs * side**2, 1))


def _initialise(layer: nn.Module) -> None:
    if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, std=0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
