"""What an architecture expects of its pictures."""

from lipbench.errors import RequestError


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
