"""Operator norms, against the singular values of the map written down."""

from itertools import product
from math import prod
from statistics import median

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import pad

from lipbench.measuring.bounds import norms
from lipbench.measuring.bounds.norms import Convolution

ROUNDING = 1e-12


def sized(weight: Tensor, inputs: list[int], stride: int = 1, padding: int = 0) -> Convolution:
    """A convolution with the same numbers for each dimension."""
    dims = len(inputs)
    return laid(weight, inputs, [stride] * dims, [padding] * dims, [1] * dims, 1)


def laid(
    weight: Tensor, inputs: list[int], stride: list[int], padding: list[int], dilation: list[int], groups: int
) -> Convolution:
    outputs = [
        (side + 2 * p - d * (k - 1) - 1) // s + 1
        for side, p, d, k, s in zip(inputs, padding, dilation, weight.shape[2:], stride, strict=True)
    ]
    return Convolution(weight, stride, padding, dilation, groups, inputs, outputs)


def materialised(convolution: Convolution) -> Tensor:
    """The map as a matrix, column by column, by the convolution itself."""
    channels = convolution.weight.shape[1] * convolution.groups
    units = torch.eye(channels * prod(convolution.inputs), dtype=torch.float64)
    return convolution.apply(units.view(-1, channels, *convolution.inputs)).flatten(1)


def norm_of(convolution: Convolution) -> float:
    return float(torch.linalg.matrix_norm(materialised(convolution), 2))


@st.composite
def convolutions(draw: st.DrawFn) -> Convolution:
    dims = draw(st.sampled_from((1, 2, 2, 2, 3)))

    def numbers(low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=dims, max_size=dims))

    kernel, stride, dilation, padding = numbers(1, 4), numbers(1, 3), numbers(1, 2), numbers(0, 2)
    least = [max(1, d * (k - 1) + 1 - 2 * p) for k, d, p in zip(kernel, dilation, padding, strict=True)]
    inputs = [low + more for low, more in zip(least, numbers(0, 6 if dims < 3 else 2), strict=True)]
    groups = draw(st.sampled_from((1, 1, 2)))
    channels = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    rng = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    weight = torch.randn(groups * channels[0], channels[1], *kernel, generator=rng, dtype=torch.float64)
    return laid(weight, inputs, stride, padding, dilation, groups)


@settings(max_examples=200)
@given(convolutions())
def test_a_norm_lies_between_power_iteration_and_each_bound(convolution: Convolution) -> None:
    true = norm_of(convolution)
    channels = convolution.weight.shape[1] * convolution.groups
    shape = (channels, *convolution.inputs)
    assert norms.by_power_iteration(convolution.apply, convolution.transpose, shape) <= true * (1 + ROUNDING)
    around, sums, best = (of(convolution) for of in (norms.on_a_torus, norms.by_sums, norms.of_convolution))
    assert true <= min(around.value, sums.value) * (1 + ROUNDING)
    assert best.value == pytest.approx(true, rel=1e-9)  # so small ones are written down


def test_on_a_torus_the_bound_is_within_a_tenth_at_the_median() -> None:
    rng = torch.Generator().manual_seed(0)
    ratios = []
    for kernel, stride, side, channels in product((1, 3, 4, 5), (1, 2), (6, 8, 12), (2, 8)):
        weight = torch.randn(channels, 4, kernel, kernel, generator=rng, dtype=torch.float64)
        convolution = sized(weight, [side, side], stride, padding=1)
        ratios.append(norms.on_a_torus(convolution).value / norm_of(convolution))
    assert median(ratios) < 1.1


@pytest.mark.parametrize(("kernel", "stride", "side"), [(3, 1, 12), (4, 2, 24), (5, 1, 13)])
def test_few_frequencies_still_bound_the_norm(
    monkeypatch: pytest.MonkeyPatch, kernel: int, stride: int, side: int
) -> None:
    rng = torch.Generator().manual_seed(1)
    weight = torch.randn(4, 3, kernel, kernel, generator=rng, dtype=torch.float64)
    convolution = sized(weight, [side, side], stride, padding=1)
    exact = norms.on_a_torus(convolution)
    monkeypatch.setattr(norms, "WORK", 1.0)
    coarse = norms.on_a_torus(convolution)
    assert coarse.method == "at some frequencies of a torus"
    assert norm_of(convolution) <= exact.value <= coarse.value <= 1.8 * exact.value


def test_a_delta_has_norm_one_and_its_shift_too() -> None:
    weight = torch.zeros(2, 2, 3, 3, dtype=torch.float64)
    weight[0, 1, 0, 2] = weight[1, 0, 0, 2] = 1
    assert norms.on_a_torus(sized(weight, [20, 20], padding=1)).value == pytest.approx(1, abs=1e-9)


def test_a_mean_over_windows_has_the_root_of_its_count() -> None:
    weight = torch.full((1, 1, 4, 4), 1 / 16, dtype=torch.float64)
    assert norms.by_sums(sized(weight, [16, 16], stride=4)).value == pytest.approx(1 / 4, abs=1e-9)


def test_behind_a_circular_padding_the_torus_is_exact() -> None:
    rng = torch.Generator().manual_seed(2)
    weight = torch.randn(3, 2, 3, 3, generator=rng, dtype=torch.float64)
    units = torch.eye(2 * 36, dtype=torch.float64).view(-1, 2, 6, 6)
    around = torch.nn.functional.conv2d(pad(units, (1, 1, 1, 1), mode="circular"), weight).flatten(1)
    found = norms.on_a_torus(sized(weight, [8, 8]), [6, 6])
    assert found.value == pytest.approx(float(torch.linalg.matrix_norm(around, 2)), rel=1e-9)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 1000))
def test_a_matrix_has_its_largest_singular_value_and_never_less(m: int, n: int, seed: int) -> None:
    matrix = torch.randn(m, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    true = float(torch.linalg.matrix_norm(matrix, 2))
    assert true <= norms.of_matrix(matrix) * (1 + 1e-15)
    assert norms.of_matrix(matrix) == pytest.approx(true, rel=1e-9)


def test_nothing_has_norm_zero() -> None:
    assert norms.of_matrix(torch.zeros(3, 4, dtype=torch.float64)) == 0
    assert norms.of_convolution(sized(torch.zeros(2, 2, 3, 3, dtype=torch.float64), [5, 5])).value == 0
