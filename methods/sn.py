"""Spectral normalisation: every weight matrix is divided by its largest singular value.

Formula: W / σ(W), W as a (c_out × rest) matrix, σ by `iterations` power iterations a forward pass
Paper: Miyato et al. 2018, Spectral Normalization for GANs, arXiv:1802.05957
Also: SN-GAN, spectral norm, spectral normalisation
"""

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from lipbench import Method
from lipbench.train.matrices import is_normalised, matrices


class SpectralNormalisation(Method):
    """Each matrix gets norm 1; a convolution does not: its true operator norm is larger than σ(W)."""

    guarantee = "layerwise"
    recommended = {"loss": "hinge"}
    iterations: int = 1

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError("iterations must be at least 1")

    def constrain(self, critic: nn.Module) -> nn.Module:
        """Parametrise every matrix and kernel that the critic multiplies with, but those that it normalises itself."""
        for layer, name in matrices(critic):
            if not is_normalised(layer, name):
                spectral_norm(layer, name, n_power_iterations=self.iterations)
        return critic
