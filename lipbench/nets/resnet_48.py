"""The residual pair for 48×48 pictures; the critic is piecewise linear and normalises nothing.

Weights are Kaiming normal, biases are 0.

Paper: Miyato et al. 2018, arXiv:1802.05957, tables 4 and 5, with the details of Wu et al. 2021, arXiv:2109.02235
"""

from torch import nn

from lipbench.nets import check_size
from lipbench.nets.resnet_32 import ResNet32, initialised, residual_critic, residual_generator


class ResNet48(ResNet32):
    """`width` channels in the critic's first block, and in the generator's last."""

    width: int = 64

    def make(self, image_shape: tuple[int, int, int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
        """See `Architecture.make`."""
        channels, _, _ = check_size("resnet-48", image_shape, 48)
        widths = [factor * self.width for factor in (1, 2, 4, 8)]
        generator = residual_generator(channels, latent_dim, side=6, widths=widths[::-1])
        return initialised(generator, residual_critic(channels, widths, halved=4 * [True]))
