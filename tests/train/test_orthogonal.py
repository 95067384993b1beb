"""Layers that cannot stretch."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

from lipbench.train.operators import Torus
from lipbench.train.orthogonal import AlmostOrthogonal, OrthogonalKernel, frame
from tests.train.operators import convolutions, dense, norm, on_torus


def shaped(layer: nn.Module, kind: type[nn.Module], spread: float = 1.0) -> nn.Module:
    """The layer with its weight parametrised, in double precision, far from where it begins."""
    register_parametrization(layer, "weight", kind(layer))
    with torch.no_grad():
        for weight in layer.parameters():
            weight.add_(spread * torch.randn_like(weight))
    return layer


@settings(max_examples=40)
@given(convolutions(), st.sampled_from([AlmostOrthogonal, OrthogonalKernel]), st.floats(0.01, 10))
def test_no_convolution_stretches_be_it_with_zero_padding_or_on_a_torus(
    given: Any, kind: type[nn.Module], spread: float
) -> None:
    layer, size = given
    shape = layer.weight.shape
    shaped(layer, kind, spread)
    assert layer.weight.shape == shape
    assert norm(on_torus(Torus.around(layer, size), layer)) <= 1 + 1e-9
    assert norm(dense(layer, size)) <= 1 + 1e-9


@pytest.mark.parametrize(
    ("channels", "kernel", "stride", "groups"),
    [((3, 8), 3, 1, 1), ((8, 3), 3, 1, 1), ((4, 8), 4, 2, 1), ((3, 24), 4, 2, 1), ((4, 4), 1, 1, 1), ((4, 8), 3, 1, 2)],
)
def test_an_orthogonal_convolution_has_singular_values_of_1_alone_on_a_torus(
    channels: tuple[int, int], kernel: int, stride: int, groups: int
) -> None:
    layer = shaped(nn.Conv2d(*channels, kernel, stride, padding=1, groups=groups).double(), OrthogonalKernel)
    matrix = on_torus(Torus.around(layer, (6, 6)), layer)
    values = torch.linalg.svdvals(matrix)
    torch.testing.assert_close(values, torch.ones_like(values))


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (2, 4, 1)])
def test_a_frame_has_orthonormal_columns(shape: tuple[int, ...]) -> None:
    columns = frame(3 * torch.randn(shape, dtype=torch.float64))
    torch.testing.assert_close(
        columns.mT @ columns, torch.eye(shape[-1], dtype=torch.float64).expand(*shape[:-2], -1, -1)
    )


@pytest.mark.parametrize("sizes", [(6, 4), (4, 6), (1, 5), (3, 1)])
def test_an_almost_orthogonal_matrix_is_scaled_as_the_paper_says(sizes: tuple[int, int]) -> None:
    layer = nn.Linear(*sizes).double()
    weight: Tensor = layer.weight.detach()
    wide = sizes[0] >= sizes[1]
    tall = weight.T if wide else weight
    wanted = tall * (tall.T @ tall).abs().sum(1).rsqrt()
    register_parametrization(layer, "weight", AlmostOrthogonal(layer))
    torch.testing.assert_close(layer.weight, wanted.T if wide else wanted)
    assert norm(layer.weight.detach()) <= 1 + 1e-9


def test_an_orthogonal_layer_stays_as_it_is_and_a_zero_one_has_no_infinity() -> None:
    layer = nn.Conv2d(2, 2, 3, padding=1, bias=False).double()
    with torch.no_grad():
        nn.init.dirac_(layer.weight)
        layer.weight[1] = 0
    before = layer.weight.detach().clone()
    register_parametrization(layer, "weight", AlmostOrthogonal(layer))
    torch.testing.assert_close(layer.weight, before)
