"""A small convolutional pair for 8×8 pictures. The critic is piecewise linear and normalises nothing."""

from torch import nn

from lipbench.nets.sizes import check_size


def make(image_shape: tuple[int, int, int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
    """Build the pair.

    Args:
        image_shape: (channels, 8, 8).
        latent_dim: numbers in a latent.

    Returns:
        The generator, (n, latent_dim) → (n, c, 8, 8) in [−1, 1], and the critic, (n, c, 8, 8) → (n, 1).

    Raises:
        RequestError: the pictures are not 8×8.
    """
    channels, _, _ = check_size("cnn-8", image_shape, 8)
    generator = nn.Sequential(
        nn.Linear(latent_dim, 64 * 2 * 2),
        nn.Unflatten(1, (64, 2, 2)),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, channels, 3, padding=1),
        nn.Tanh(),
    )
    critic = nn.Sequential(
        nn.Conv2d(channels, 16, 3, padding=1),
        nn.LeakyReLU(0.1),
        nn.Conv2d(16, 32, 4, stride=2, padding=1),
        nn.LeakyReLU(0.1),
        nn.Conv2d(32, 64, 4, stride=2, padding=1),
        nn.LeakyReLU(0.1),
        nn.Flatten(),
        nn.Linear(64 * 2 * 2, 1),
    )
    return generator, critic
