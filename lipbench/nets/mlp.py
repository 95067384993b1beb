"""A perceptron pair for points and small pictures; the critic is piecewise linear and normalises nothing.

The critic is that of the W1 benchmark: three linear layers, ReLU, 2·dim hidden units but at least 128.

Paper: Korotin, Kolesov & Burnaev 2022, arXiv:2206.07767
"""

from math import prod

from torch import nn

from lipbench.nets import Wide

LEAST = 128


class Mlp(Wide):
    """`width` hidden units in each layer; as many as the benchmark has if 0."""

    width: int = 0

    def __post_init__(self) -> None:
        if self.width:
            super().__post_init__()

    def make(self, image_shape: tuple[int, int, int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
        """See `Architecture.make`; pictures or points of any shape will do."""
        dim = prod(image_shape)
        width = self.width or max(2 * dim, LEAST)
        generator = nn.Sequential(
            nn.Linear(latent_dim, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, dim),
            *([] if image_shape[1:] == (1, 1) else [nn.Tanh()]),  # points have no range
            nn.Unflatten(1, image_shape),
        )
        critic = nn.Sequential(
            nn.Flatten(),
            nn.Linear(dim, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, 1),
        )
        return generator, critic
