"""Weight clipping: every weight of the critic is kept in a box.

Formula: w ← clip(w, −bound, bound) after each critic step; with biases=false, weights alone
Paper: Arjovsky, Chintala & Bottou 2017, Wasserstein GAN, arXiv:1701.07875
Also: WGAN, weight clipping, clip
"""

from torch import nn

from lipbench import Method


class WeightClipping(Method):
    """The box bounds each layer's norm, and so the critic's Lipschitz constant by their product."""

    guarantee = "layerwise"
    bound: float = 0.05
    biases: bool = True

    def __post_init__(self) -> None:
        if not self.bound > 0:
            raise ValueError("bound must be greater than 0")

    def project(self, critic: nn.Module) -> None:
        """Clip all parameters, or those that are not vectors."""
        for weight in critic.parameters():
            if weight.requires_grad and (self.biases or weight.ndim > 1):
                weight.clamp_(-self.bound, self.bound)
