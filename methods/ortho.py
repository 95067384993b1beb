"""Orthogonal layers with MaxMin: nothing in the critic stretches, and no gradient gets lost.

Formula: W ← an orthogonal matrix (Cayley map), ReLU ← MaxMin
Paper: Anil, Lucas & Grosse 2019, Sorting out Lipschitz function approximation, arXiv:1811.05381
Also: orthogonal, Cayley
"""

from torch import nn
from torch.nn.utils.parametrizations import orthogonal

from lipbench import Method
from lipbench.errors import RequestError
from lipbench.nets import MaxMin


class Orthogonal(Method):
    """Every layer has norm 1, hence the critic too; for critics of linear layers and rectifiers."""

    guarantee = "certified"

    def constrain(self, critic: nn.Module) -> nn.Module:
        """Parametrise every linear layer and replace every rectifier."""
        for name, layer in list(critic.named_modules()):
            if isinstance(layer, nn.Linear):
                orthogonal(layer, orthogonal_map="cayley")
            elif isinstance(layer, nn.ReLU | nn.LeakyReLU):
                critic.set_submodule(name, MaxMin())
            elif not isinstance(layer, nn.Flatten | nn.Identity | MaxMin) and (layer._parameters or not layer._modules):
                raise RequestError(
                    f"ortho got a critic with {type(layer).__name__}, for which it cannot vouch; expected linear "
                    f"layers and rectifiers alone, and no other method that changes their weights: "
                    f"--set architecture=mlp, or --protocol w1"
                )
        return critic
