"""MaxMin, the activation of critics with orthogonal layers: it sorts pairs of units and so loses no gradient.

Paper: Anil, Lucas & Grosse 2019, Sorting out Lipschitz function approximation, arXiv:1811.05381
"""

from torch import Tensor, nn


class MaxMin(nn.Module):
    """Each pair of units along the second axis becomes its larger and its smaller value, (n, 2k, …) → (n, 2k, …)."""

    def forward(self, x: Tensor) -> Tensor:
        """Sort the pairs.

        Raises:
            ValueError: the number of units is odd.
        """
        if x.shape[1] % 2:
            raise ValueError(f"MaxMin got {x.shape[1]} units; expected an even number, as it sorts pairs")
        pairs: Tensor = x.unflatten(1, (-1, 2)).sort(dim=2, descending=True).values
        return pairs.flatten(1, 2)
