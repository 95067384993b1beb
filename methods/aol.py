"""Almost-orthogonal layers with MaxMin: each is scaled so that its own correlations keep it from stretching.

Formula: W ← W·diag(Σⱼ |WᵀW|ᵢⱼ)^(−1/2), for convolutions by the correlations of their kernels; ReLU ← MaxMin
Paper: Prach & Lampert 2022, Almost-Orthogonal Layers for Efficient General-Purpose Lipschitz Networks, arXiv:2208.03160
Also: AOL, almost orthogonal Lipschitz
"""

from torch import nn
from torch.nn.utils.parametrize import register_parametrization

from lipbench import Method
from lipbench.train.operators import operators, sort_units
from lipbench.train.orthogonal import AlmostOrthogonal


class AlmostOrthogonalLayers(Method):
    """Every layer has norm 1 at most, hence the critic too; Wᵀ takes the place of W where a layer has fewer outputs."""

    guarantee = "certified"

    def constrain(self, critic: nn.Module) -> nn.Module:
        """Parametrise every linear layer and convolution, and replace every rectifier."""
        for layer in operators(critic, "aol").values():
            register_parametrization(layer, "weight", AlmostOrthogonal(layer))
        sort_units(critic)
        return critic
