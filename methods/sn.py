"""Spectral normalisation: every weight matrix is divided by its largest singular value.

Formula: W / σ(W), W as a (c_out × rest) matrix, σ by `iterations` power iterations a forward pass
Paper: Miyato et al. 2018, Spectral Normalization for GANs, arXiv:1802.05957
Also: SN-GAN, spectral norm, spectral normalisation
"""

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from lipbench import Method


class SpectralNormalisation(Method):
    """Each linear layer gets norm 1; a convolution does not: its true operator norm is larger than σ(W)."""

    guarantee = "layerwise"
    recommended = {"loss": "hinge"}
    iterations: int = 1

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError("iterations must be at least 1")

    def constrain(self, critic: nn.Module) -> nn.Module:
        """Parametrise the weight of every linear and convolutional layer."""
        for layer in critic.modules():
            if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
                spectral_norm(layer, n_power_iterations=self.iterations)
        return critic
