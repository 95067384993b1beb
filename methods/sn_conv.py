"""Spectral normalisation of the true operators: every layer is divided by the norm that it has where it is applied.

Formula: W / ‖A‖, A the convolution on a torus with room for its zero padding, ‖A‖ by `iterations` power iterations
Paper: Farnia, Zhang & Tse 2019, Generalizable Adversarial Training via Spectral Normalization, arXiv:1811.07457
Also: Lipschitz margin training (Tsuzuku et al. 2018, arXiv:1804.04368), convolutional spectral norm, SN-Conv
"""

from torch import nn
from torch.nn.utils.parametrize import register_parametrization

from lipbench import Method
from lipbench.train.operators import OperatorNorm, tori


class ConvolutionalSpectralNormalisation(Method):
    """Every layer has norm 1 on its torus, hence at most 1: only there does a cheap proof reach what it divides by."""

    guarantee = "certified"
    recommended = {"loss": "hinge"}
    iterations: int = 1

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError("iterations must be at least 1")

    def constrain(self, critic: nn.Module) -> nn.Module:
        """Parametrise every linear layer and convolution; rectifiers stay as they are."""
        for layer, torus in tori(critic, "sn_conv").items():
            register_parametrization(layer, "weight", OperatorNorm(torus, layer.weight, self.iterations))
        return critic
