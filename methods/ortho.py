"""Orthogonal layers with MaxMin: nothing in the critic stretches, and no gradient gets lost.

Formula: W ← an orthogonal matrix (Cayley map), kernels ← a product of one and of projections, ReLU ← MaxMin
Paper: Anil, Lucas & Grosse 2019, Sorting out Lipschitz function approximation, arXiv:1811.05381
Also: orthogonal, Cayley, BCOP (Li et al. 2019, arXiv:1911.00937), AOC (Boissin et al. 2025, arXiv:2501.07930)
"""

from torch import nn
from torch.nn.utils.parametrizations import orthogonal
from torch.nn.utils.parametrize import register_parametrization

from lipbench import Method
from lipbench.train.operators import operators, sort_units
from lipbench.train.orthogonal import OrthogonalKernel


class Orthogonal(Method):
    """Every layer has norm 1, hence the critic too; for critics of linear layers, convolutions and rectifiers."""

    guarantee = "certified"

    def constrain(self, critic: nn.Module) -> nn.Module:
        """Parametrise every linear layer and convolution, and replace every rectifier."""
        for layer in operators(critic, "ortho").values():
            if isinstance(layer, nn.Linear):
                orthogonal(layer, orthogonal_map="cayley")
            else:
                register_parametrization(layer, "weight", OrthogonalKernel(layer))
        sort_units(critic)
        return critic
