"""A recorded convolution: what it is, its proven norm, and a lower estimate beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from lipbench.measuring.bounds.known import Known
from lipbench.measuring.bounds.norms import Convolution, Norm, by_power_iteration, of_convolution, on_a_torus
from lipbench.measuring.bounds.sums import both_ways
from lipbench.train.gradients.learned import Affine
from lipbench.train.gradients.operations import Linear


@dataclass(frozen=True)
class Found:
    """What is known of a recorded convolution.

    Attributes:
        operation: what it does, in words.
        estimate: of its norm, by power iteration.
        norm: proven.
        padded: whether a circular padding before it is a part of it.
    """

    operation: str
    estimate: float
    norm: Norm
    padded: bool = False


def examine(operation: Affine, known: Known, before: tuple[Linear, Known] | None) -> Found:
    """Bound a convolution.

    Args:
        operation: the convolution.
        known: of it.
        before: the operation, and what is known of it, that makes what comes in, where it is a circular padding.
    """
    convolution = _applied(operation, known)
    words = _said(convolution, known.name)
    if before is not None and (ring := _ring(convolution, before[0])) is not None:
        padding, like = before[1].sizes, before[0].given[0]
        assert padding is not None  # a padding is a sum of its inputs
        pad, fold = both_ways(padding, like)
        estimate = by_power_iteration(
            lambda x: convolution.apply(pad(x)), lambda y: fold(convolution.transpose(y)), like.shape[1:]
        )
        return Found(f"{words}, circular", estimate, on_a_torus(convolution, ring), padded=True)
    channels = convolution.weight.shape[1] * convolution.groups
    estimate = by_power_iteration(convolution.apply, convolution.transpose, (channels, *convolution.inputs))
    return Found(words, estimate, of_convolution(convolution))


def _applied(operation: Affine, known: Known) -> Convolution:
    """A recorded convolution as it is applied, or that of which it is the transpose."""
    assert operation.settings is not None  # it is no linear layer
    stride, padding, dilation, transposed, _, groups = operation.settings
    sides = [operation.given.shape[2:], known.shape[2:]]
    inputs, outputs = reversed(sides) if transposed else sides
    return Convolution(operation.weight.detach(), stride, padding, dilation, groups, inputs, outputs)


def _said(convolution: Convolution, name: str) -> str:
    """A convolution in words."""
    made, seen = len(convolution.weight), convolution.weight.shape[1] * convolution.groups
    inputs, outputs, sides = (seen, made, convolution.inputs)
    if "transpose" in name:
        inputs, outputs, sides = made, seen, convolution.outputs
    stride = "" if set(convolution.stride) == {1} else f", stride {_by(convolution.stride)}"
    groups = "" if convolution.groups == 1 else f", {convolution.groups} groups"
    return f"{name} {inputs} → {outputs}, {_by(convolution.weight.shape[2:])}{stride}{groups}, at {_by(sides)}"


def _ring(convolution: Convolution, padding: Linear) -> list[int] | None:
    """Steps of the stride around the torus on which a convolution behind a circular padding lies, if it does."""
    around = []
    given: Tensor = padding.given[0]
    for dim, side in enumerate(given.shape[2:]):
        stride = convolution.stride[dim]
        kernel = convolution.dilation[dim] * (convolution.weight.shape[2 + dim] - 1) + 1
        if convolution.padding[dim] or side % stride or kernel > side or convolution.outputs[dim] * stride > side:
            return None
        around.append(side // stride)
    return around


def _by(numbers: Sequence[int]) -> str:
    return "×".join(map(str, numbers))
