"""R2: the gradient at generated samples is pulled towards zero.

Formula: f + weight/2 · E‖∇f(x)‖², x generated
Paper: Mescheder, Geiger & Nowozin 2018, Which Training Methods for GANs do actually Converge?, arXiv:1801.04406
"""

import torch
from jaxtyping import Float
from torch import Tensor

from .r1 import R1


class R2(R1):
    """A soft constraint, at what the generator makes alone."""

    def penalty_points(
        self, real: Float[Tensor, "n c h w"], fake: Float[Tensor, "n c h w"], rng: torch.Generator
    ) -> Float[Tensor, "n c h w"]:
        """Take the generated samples themselves: the pass that is made anyway."""
        return fake
