"""A small convolutional pair for 8×8 pictures; the critic is piecewise linear and normalises nothing."""

from torch import nn

from lipbench.nets import Wide, check_size


class Cnn8(Wide):
    """`width` channels in the critic's first layer, and in the generator's last."""

    width: int = 16

    def make(self, image_shape: tuple[int, int, int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
        """See `Architecture.make`."""
        channels, _, _ = check_size("cnn-8", image_shape, 8)
        one, two, four = self.width, 2 * self.width, 4 * self.width
        generator = nn.Sequential(
            nn.Linear(latent_dim, four * 2 * 2),
            nn.Unflatten(1, (four, 2, 2)),
            nn.BatchNorm2d(four),
            nn.ReLU(),
            nn.ConvTranspose2d(four, two, 4, stride=2, padding=1),
            nn.BatchNorm2d(two),
            nn.ReLU(),
            nn.ConvTranspose2d(two, one, 4, stride=2, padding=1),
            nn.BatchNorm2d(one),
            nn.ReLU(),
            nn.Conv2d(one, channels, 3, padding=1),
            nn.Tanh(),
        )
        critic = nn.Sequential(
            nn.Conv2d(channels, one, 3, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(one, two, 4, stride=2, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(two, four, 4, stride=2, padding=1),
            nn.LeakyReLU(0.1),
            nn.Flatten(),
            nn.Linear(four * 2 * 2, 1),
        )
        return generator, critic
