"""The shared networks, a plugin a file, and what they have in common."""

from torch import Tensor, nn

from lipbench.errors import RequestError
from lipbench.interfaces.architecture import Architecture


class MaxMin(nn.Module):
    """Each pair of units along the second axis becomes its larger and its smaller value, (n, 2k, …) → (n, 2k, …).

    It sorts, and so loses no gradient: the activation of critics with orthogonal layers.

    Paper: Anil, Lucas & Grosse 2019, Sorting out Lipschitz function approximation, arXiv:1811.05381
    """

    def forward(self, x: Tensor) -> Tensor:
        """Sort the pairs.

        Raises:
            ValueError: the number of units is odd.
        """
        if x.shape[1] % 2:
            raise ValueError(f"MaxMin got {x.shape[1]} units; expected an even number, as it sorts pairs")
        pairs: Tensor = x.unflatten(1, (-1, 2)).sort(dim=2, descending=True).values
        return pairs.flatten(1, 2)


class Wide(Architecture):
    """Networks whose layers all are as wide as `width`, or several times as wide."""

    width: int

    def __post_init__(self) -> None:
        if not 1 <= self.width <= 4096:
            raise ValueError(f"width must be a whole number from 1 to 4096, and is {self.width}")


def check_size(architecture: str, image_shape: tuple[int, int, int], side: int) -> tuple[int, int, int]:
    """Give the shape back if the pictures have this side.

    Raises:
        RequestError: they have not.
    """
    _, height, width = image_shape
    if (height, width) == (1, 1):
        raise RequestError(
            f"architecture {architecture} got points of {image_shape[0]} numbers; expected pictures of {side}×{side}. "
            f"Choose --set architecture=mlp"
        )
    if (height, width) != (side, side):
        fitting = {8: "digits", 32: "cifar10 or folder[path=…,size=32]", 48: "stl10 or folder[path=…,size=48]"}[side]
        raise RequestError(
            f"architecture {architecture} got pictures of {height}×{width}; expected {side}×{side}, as in {fitting}. "
            f"Choose a --protocol for your pictures (`lipbench protocols`), or --set architecture=cnn-32"
        )
    return image_shape
