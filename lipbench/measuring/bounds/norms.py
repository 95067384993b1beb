"""Proven upper bounds of the Euclidean operator norms of linear maps, rounded outward.

All is computed in float64. An eigenvalue of a Gram matrix A Aᵀ made there, A of m × n numbers, errs by less than
m·n·ε times the largest one, so each bound is enlarged by more than that (`outward`). What is bounded is the map with
the weights as they are; the rounding of a critic that runs in less precision is not in it.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from math import ceil, cos, inf, pi, prod, sqrt
from typing import NamedTuple

import torch
from jaxtyping import Complex, Float, Inexact
from torch import Tensor

aten = torch.ops.aten
SMALL = 1024  # rows of a map whose singular value is taken as it is
ENTRIES = 2**24  # of a map that is written down
WORK = 3e10  # of the eigenvalues of one convolution, in cubes of their matrices' sides: about ten seconds
LEAST = 8  # frequencies of a side, at least
AT_ONCE = 2**22  # numbers of transfer matrices that are made together
ITERATIONS, STILL = 500, 1e-8  # of a power iteration, until a step changes the norm by less


class Norm(NamedTuple):
    """A bound of an operator norm.

    Attributes:
        value: the norm is at most that.
        method: how it was proven.
    """

    value: float
    method: str


class Convolution(NamedTuple):
    """A convolution as it is applied, or the transpose of one, in any number of dimensions.

    Attributes:
        weight: (outputs, inputs / groups, k, …), float64; of the transpose, as it stands there.
        stride: a number for each dimension, and so on.
        padding: zeros on both sides.
        dilation: the distance of the kernel's numbers.
        groups: into which the channels part.
        inputs: the sides of what the convolution sees; of the transpose, those of what it makes.
        outputs: the sides of what the convolution makes.
    """

    weight: Float[Tensor, "o i *k"]
    stride: Sequence[int]
    padding: Sequence[int]
    dilation: Sequence[int]
    groups: int
    inputs: Sequence[int]
    outputs: Sequence[int]

    def apply(self, x: Float[Tensor, "n i *s"]) -> Float[Tensor, "n o *t"]:
        """The convolution, without its bias."""
        flat = [0] * len(self.stride)
        settings = (self.stride, self.padding, self.dilation, False, flat, self.groups)
        found: Tensor = aten.convolution(x, self.weight, None, *settings)
        return found

    def transpose(self, y: Float[Tensor, "n o *t"]) -> Float[Tensor, "n i *s"]:
        """Its transpose."""
        like = y.new_empty(()).expand(len(y), self.weight.shape[1] * self.groups, *self.inputs)
        flat = [0] * len(self.stride)
        settings = (self.stride, self.padding, self.dilation, False, flat, self.groups)
        found: Tensor = aten.convolution_backward(y, like, self.weight, None, *settings, (True, False, False))[0]
        return found

    @property
    def parts(self) -> list["Convolution"]:
        """One for each group; its norm is the largest of theirs."""
        return [self._replace(weight=weight, groups=1) for weight in self.weight.chunk(self.groups)]


def outward(value: float, *sizes: int) -> float:
    """A computed norm of a map of these sizes, enlarged by more than rounding may have taken from it."""
    return value * (1 + 4 * torch.finfo(torch.float64).eps * max(16, prod(sizes)))


def of_matrix(matrix: Inexact[Tensor, "... m n"]) -> float:
    """The largest singular value of any of the matrices."""
    m, n = matrix.shape[-2:]
    return outward(sqrt(largest_eigenvalue(matrix @ matrix.mH if m <= n else matrix.mH @ matrix)), m, n)


def largest_eigenvalue(gram: Inexact[Tensor, "... m m"]) -> float:
    """Of any of these matrices, symmetric but for rounding and without negative eigenvalues."""
    symmetric = (gram + gram.mH) / 2
    return max(0.0, float(torch.linalg.eigvalsh(symmetric).max())) if gram.numel() else 0.0


def of_convolution(convolution: Convolution) -> Norm:
    """The least of the bounds that are cheap: by the map itself, on a torus, and by sums of absolute values."""
    tried = [on_a_torus(convolution), by_sums(convolution)]
    if _is_small(convolution):
        tried.append(Norm(max(of_matrix(written(part)) for part in convolution.parts), "singular value"))
    return min(tried)


def written(convolution: Convolution) -> Float[Tensor, "m n"]:
    """The map as a matrix, or its transpose, whichever has fewer rows to find; of one group."""
    outputs, inputs = convolution.weight.shape[:2]
    narrow = (outputs, *convolution.outputs) if _rows(convolution) else (inputs, *convolution.inputs)
    units = torch.eye(prod(narrow), dtype=torch.float64).view(-1, *narrow)
    return (convolution.transpose(units) if _rows(convolution) else convolution.apply(units)).flatten(1)


def _sizes(convolution: Convolution) -> tuple[int, int]:
    """Numbers that one group makes, and that it sees."""
    outputs, inputs = len(convolution.weight) // convolution.groups, convolution.weight.shape[1]
    return outputs * prod(convolution.outputs), inputs * prod(convolution.inputs)


def _rows(convolution: Convolution) -> bool:
    made, seen = _sizes(convolution)
    return made <= seen


def _is_small(convolution: Convolution) -> bool:
    sizes = _sizes(convolution)
    return min(sizes) <= SMALL and prod(sizes) <= ENTRIES


def on_a_torus(convolution: Convolution, around: Sequence[int] | None = None) -> Norm:
    """By the largest singular value at any frequency (Sedghi, Gupta & Long 2019, arXiv:1805.10408).

    A zero-padded convolution is a part of one on a torus: a side of n + max(padding, what the last window needs beyond
    the end) is long enough that no window meets a number twice, nor one from the other end. A stride of s takes the
    numbers of each residue for channels of their own (polyphase), which moves numbers alone.

    Where a torus has more frequencies than can be afforded, the symbol is taken at fewer, m a side. A trigonometric
    polynomial of degree d falls from its maximum no quicker than cos(d·ω) (M. Riesz 1914), and uᴴ·symbol·v is one of
    degree (k − 1)/2 for all u, v; so what lies between the frequencies is at most 1/cos(π(k − 1)/(2m)) times as large.

    Args:
        convolution: zero-padded, or not padded on a torus whose sides are given.
        around: steps of the stride around each side; the smallest that will do if None.
    """
    sides = around or [_torus(convolution, dim) for dim in range(len(convolution.stride))]
    kernels = torch.stack([_polyphase(part) for part in convolution.parts])
    narrow = min(kernels.shape[1:3])
    taps = kernels.shape[3:]
    grid, factor = sides, 1.0
    affordable = max(1.0, WORK / max(1, narrow**3 * convolution.groups))
    if prod(sides) / 2 > affordable:
        coarse = max(LEAST, int((2 * affordable) ** (1 / len(sides))))
        grid = [min(side, max(coarse, 2 * tap)) for side, tap in zip(sides, taps, strict=True)]
        for side, m, tap in zip(sides, grid, taps, strict=True):
            factor /= cos(pi * (tap - 1) / (2 * m)) if m < side else 1.0
    value = max(of_matrix(symbols) for symbols in _symbols(kernels, grid))
    return Norm(factor * value, "on a torus" if factor == 1 else "at some frequencies of a torus")


def _torus(convolution: Convolution, dim: int) -> int:
    """Steps of the stride around the smallest torus of which the convolution is a part."""
    stride, padding, dilation = (
        numbers[dim] for numbers in (convolution.stride, convolution.padding, convolution.dilation)
    )
    inputs, outputs = convolution.inputs[dim], convolution.outputs[dim]
    kernel = dilation * (convolution.weight.shape[2 + dim] - 1) + 1
    beyond = (outputs - 1) * stride - padding + kernel - inputs
    return ceil(max(inputs + max(padding, beyond, 0), kernel) / stride)


def _polyphase(convolution: Convolution) -> Float[Tensor, "o i *k"]:
    """The kernel of a convolution without stride or dilation, on as many more channels; of one group."""
    kernel = convolution.weight
    for dim, (stride, dilation) in enumerate(zip(convolution.stride, convolution.dilation, strict=True), start=2):
        taps = kernel.shape[dim]
        reach = dilation * (taps - 1) + 1
        spread = kernel.new_zeros(*kernel.shape[:dim], ceil(reach / stride) * stride, *kernel.shape[dim + 1 :])
        spread.narrow(dim, 0, reach).index_copy_(dim, torch.arange(0, reach, dilation), kernel)
        kernel = spread.unflatten(dim, (-1, stride)).movedim(dim + 1, 1).flatten(1, 2)
    return kernel


def _symbols(kernels: Float[Tensor, "g o i *k"], grid: Sequence[int]) -> Iterator[Complex[Tensor, "f g o i"]]:
    """The kernels' Fourier transforms at the frequencies of a grid, half of them: the others are their conjugates."""
    frequencies = torch.tensor(
        [*product(*(range(m) for m in grid[:-1]), range(grid[-1] // 2 + 1))], dtype=torch.float64
    ) / torch.tensor(grid, dtype=torch.float64)
    places = torch.tensor([*product(*(range(taps) for taps in kernels.shape[3:]))], dtype=torch.float64)
    flat = kernels.flatten(3).movedim(3, 0)
    count = max(1, AT_ONCE // flat[0].numel())
    for part in frequencies.split(count):
        waves = torch.polar(torch.ones(()).double(), -2 * pi * (part @ places.T))
        yield torch.einsum("ft,tgoi->fgoi", waves, flat.to(waves.dtype))


def by_sums(convolution: Convolution) -> Norm:
    """By the largest sums of absolute values over rows and over columns (Schur 1911)."""
    absolute = convolution._replace(weight=convolution.weight.abs())
    channels = absolute.weight.shape[1] * absolute.groups
    seen = torch.ones(1, channels, *absolute.inputs, dtype=torch.float64)
    made = torch.ones(1, len(absolute.weight), *absolute.outputs, dtype=torch.float64)
    return of_sums(absolute.apply(seen), absolute.transpose(made), absolute.weight[0].numel())


def of_sums(rows: Tensor, columns: Tensor, count: int) -> Norm:
    """√(the largest sum of absolute values in a row · the largest in a column), sums of so many numbers."""
    most = float(rows.max()) * float(columns.max()) if rows.numel() and columns.numel() else 0.0
    return Norm(outward(sqrt(most), count), "sums of absolute values")


def by_power_iteration(
    apply: Callable[[Tensor], Tensor], transpose: Callable[[Tensor], Tensor], shape: Sequence[int]
) -> float:
    """A lower estimate of a norm: it proves nothing, and shows how much a bound may be too large.

    Args:
        apply: the map, on a batch of one.
        transpose: its transpose.
        shape: of what the map sees.
    """
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(1, *shape, generator=rng, dtype=torch.float64)
    found = 0.0
    for _ in range(ITERATIONS):
        y = apply(x / torch.linalg.vector_norm(x).clamp_min(torch.finfo(torch.float64).tiny))
        before, found = found, max(found, float(torch.linalg.vector_norm(y)))
        if found - before <= STILL * found:
            break
        x = transpose(y)
    return found if found < inf else 0.0
