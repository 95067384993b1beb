"""Convolutions of all kinds, and the matrices that they are."""

from math import prod
from typing import Any

import torch
from hypothesis import assume
from hypothesis import strategies as st
from torch import Tensor, nn

from lipbench.train.operators import Torus

KINDS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


def dense(layer: nn.Module, size: tuple[int, ...]) -> Tensor:
    """A layer's matrix at this size of its inputs, by the images of all unit vectors."""
    shape = (layer.in_channels, *size) if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d) else (layer.in_features,)
    unit = torch.eye(prod(shape), dtype=torch.float64).reshape(-1, *shape)
    return (layer(unit) - layer(torch.zeros_like(unit[:1]))).detach().flatten(1).T


def norm(matrix: Tensor) -> float:
    return float(torch.linalg.matrix_norm(matrix, 2))


@st.composite
def convolutions(draw: Any, most: int = 2) -> tuple[nn.Module, tuple[int, ...]]:
    """A convolution of one to `most` dimensions, in float64, and the size of its inputs."""
    dim, groups = draw(st.integers(1, most)), draw(st.integers(1, 2))
    each = lambda least, greatest: tuple(draw(st.integers(least, greatest)) for _ in range(dim))  # noqa: E731
    size, kernel, stride, dilation, padding = each(2, 5), each(1, 4), each(1, 3), each(1, 2), each(0, 3)
    assume(all(n + 2 * p > d * (k - 1) for n, p, d, k in zip(size, padding, dilation, kernel, strict=True)))
    channels = draw(st.integers(1, 2)) * groups, draw(st.integers(1, 2)) * groups
    torch.manual_seed(draw(st.integers(0, 99)))
    return KINDS[dim](*channels, kernel, stride, padding, dilation, groups).double(), size


def on_torus(torus: Torus, layer: nn.Module) -> Tensor:
    unit = torch.eye(layer.in_channels * prod(torus.sides), dtype=torch.float64)
    images = [torus.apply(layer.weight.detach(), one.reshape(1, -1, *torus.sides)).flatten() for one in unit]
    return torch.stack(images, 1)
