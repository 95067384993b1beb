"""The residual pair for 32×32 pictures; the critic is piecewise linear and normalises nothing.

Weights are Kaiming normal, biases are 0.

Paper: Miyato et al. 2018, arXiv:1802.05957, tables 4 and 5, with the details of Wu et al. 2021, arXiv:2109.02235
"""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from lipbench.nets import Wide, check_size


class ResNet32(Wide):
    """`width` channels in the critic's blocks, and twice as many in those of the generator."""

    width: int = 128

    def make(self, image_shape: tuple[int, int, int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
        """See `Architecture.make`."""
        channels, _, _ = check_size("resnet-32", image_shape, 32)
        generator = residual_generator(channels, latent_dim, side=4, widths=4 * [2 * self.width])
        return initialised(generator, residual_critic(channels, 4 * [self.width], halved=[True, True, False, False]))


class Up(nn.Module):
    """A block of the generator, (n, inputs, s, s) → (n, outputs, 2s, 2s)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1),
        )
        self.shortcut = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Add the two ways."""
        return self.body(x) + self.shortcut(x)  # type: ignore[no-any-return]  # a module's call has no type


class Down(nn.Module):
    """A block of the critic, (n, inputs, s, s) → (n, outputs, s, s), or half the side.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        halved: whether the side is halved.
        first: whether the block sees pictures: it then starts without a ReLU, and pools before its shortcut's
            convolution.
    """

    def __init__(self, inputs: int, outputs: int, *, halved: bool, first: bool) -> None:
        super().__init__()
        pool = [nn.AvgPool2d(2)] if halved else []
        convolutions = [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.Conv2d(outputs, outputs, 3, padding=1)]
        self.body = nn.Sequential(*([] if first else [nn.ReLU()]), *convolutions, *pool)
        shortcut = [nn.Conv2d(inputs, outputs, 1)] if halved or inputs != outputs else []
        self.shortcut = nn.Sequential(*(pool + shortcut if first else shortcut + pool))

    def forward(self, x: Tensor) -> Tensor:
        """Add the two ways."""
        return self.body(x) + self.shortcut(x)  # type: ignore[no-any-return]  # a module's call has no type


class MeanPool(nn.Module):
    """The mean over all pixels, (n, c, h, w) → (n, c)."""

    def forward(self, x: Tensor) -> Tensor:
        """Average."""
        return F.adaptive_avg_pool2d(x, 1).flatten(1)


def residual_generator(channels: int, latent_dim: int, *, side: int, widths: list[int]) -> nn.Module:
    """A residual generator whose first block sees `side` pixels."""
    start = [nn.Linear(latent_dim, widths[0] * side**2), nn.Unflatten(1, (widths[0], side, side))]
    blocks = [Up(inputs, outputs) for inputs, outputs in pairwise(widths)]
    end = [nn.BatchNorm2d(widths[-1]), nn.ReLU(), nn.Conv2d(widths[-1], channels, 3, padding=1), nn.Tanh()]
    return nn.Sequential(*start, *blocks, *end)


def residual_critic(channels: int, widths: list[int], *, halved: list[bool]) -> nn.Module:
    """A residual critic; each block halves the side or leaves it."""
    inputs = [channels, *widths]
    blocks = [Down(inputs[row], outputs, halved=halved[row], first=row == 0) for row, outputs in enumerate(widths)]
    return nn.Sequential(*blocks, nn.ReLU(), MeanPool(), nn.Linear(widths[-1], 1))


def initialised(*pair: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The pair with its first weights."""
    for net in pair:
        for layer in net.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
    generator, critic = pair
    return generator, critic
