"""What is known of a recorded operation, for a proof."""

from dataclasses import dataclass

import torch

from lipbench.train.gradients.call import Replay
from lipbench.train.gradients.operations import Operation


@dataclass
class Sloped(Operation):
    """Any function that stretches no distance more than `slope`-fold.

    Attributes:
        between: whether it is one of each number, monotone, at most 1 steep.
    """

    inputs: list[int]
    outputs: list[int]
    slope: float
    between: bool = False


@dataclass(frozen=True)
class Known:
    """What else is known of a recorded operation.

    Attributes:
        name: of the function.
        layer: the path of the innermost module that it was called in.
        shape: of what it makes first.
        sizes: the operation as a function of its inputs, with absolute values in place of what it multiplies by; None
            where its numbers have several signs without that.
        plain: the same with the values themselves, where they have several signs.
        along: the dimension of a largest or smallest number, and its size.
    """

    name: str
    layer: str
    shape: torch.Size
    sizes: Replay | None = None
    plain: Replay | None = None
    along: tuple[int, int] | None = None


def sorted_along(known: list[Known]) -> bool:
    """Whether what they make is the largest and the smallest number of a dimension: two places of a sorted tensor."""
    names = sorted(each.name.removeprefix("a") for each in known)
    dims = {each.along for each in known}
    return names == ["max", "min"] and len(dims) == 1 and all(along is not None and along[1] > 1 for along in dims)
