"""The "standard CNN" pair for 32×32 and 48×48 pictures; the critic is piecewise linear and normalises nothing.

Paper: Miyato et al. 2018, arXiv:1802.05957, table 3, with the details of Wu et al. 2021, arXiv:2109.02235
"""

from torch import nn

from lipbench.nets.sizes import check_size

SLOPE = 0.1
# Output channels and whether the side is halved, layer by layer.
CRITIC = [(64, False), (128, True), (128, False), (256, True), (256, False), (512, True), (512, False)]


def make_32(image_shape: tuple[int, int, int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
    """Build the pair for 32×32 pictures, weights from N(0, .02²) and biases 0; see `lipbench.nets`."""
    return _make(check_size("cnn-32", image_shape, 32), latent_dim)


def make_48(image_shape: tuple[int, int, int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
    """Build the pair for 48×48 pictures, weights from N(0, .02²) and biases 0; see `lipbench.nets`."""
    return _make(check_size("cnn-48", image_shape, 48), latent_dim)


def _make(image_shape: tuple[int, int, int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
    channels, side, _ = image_shape
    pair = _generator(channels, side // 8, latent_dim), _critic(channels, side // 8)
    for net in pair:
        net.apply(_initialise)
    return pair


def _generator(channels: int, side: int, latent_dim: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Linear(latent_dim, 512 * side**2), nn.Unflatten(1, (512, side, side))]
    layers += [nn.BatchNorm2d(512), nn.ReLU()]
    for inputs, outputs in ((512, 256), (256, 128), (128, 64)):
        layers += [nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(64, channels, 3, padding=1), nn.Tanh())


def _critic(channels: int, side: int) -> nn.Module:
    layers: list[nn.Module] = []
    inputs = channels
    for outputs, halved in CRITIC:
        kernel, stride = (4, 2) if halved else (3, 1)
        layers += [nn.Conv2d(inputs, outputs, kernel, stride, padding=1), nn.LeakyReLU(SLOPE)]
        inputs = outputs
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs * side**2, 1))


def _initialise(layer: nn.Module) -> None:
    if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, std=0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
