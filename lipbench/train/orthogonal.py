"""Weights whose layers cannot stretch, by construction: parametrisations of linear layers and convolutions."""

from collections.abc import Sequence
from itertools import product, zip_longest
from math import gcd, prod

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from lipbench.train.operators import Layer

TINY = 1e-12


class AlmostOrthogonal(nn.Module):
    """Scales the outputs of a layer A by a diagonal D for which the rows of D|AAᵀ|D sum to at most 1.

    The correlations AAᵀ of a convolution are those of its kernels, moved against each other as far as the stride lets
    them meet. Where there are fewer inputs than outputs, the inputs are scaled, as in the paper, by AᵀA. Zero padding
    leaves a part of A out, which adds to no norm.

    Paper: Prach & Lampert 2022, Almost-Orthogonal Layers for Efficient General-Purpose Lipschitz Networks,
    arXiv:2208.03160

    Args:
        layer: whose weight is parametrised.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        outputs, inputs, *kernel = layer.weight.shape
        self.groups, steps = 1, [1] * len(kernel)
        if isinstance(layer, _ConvNd):
            self.groups = layer.groups
            # So many taps apart are inputs that two outputs of one channel share.
            steps = [stride // gcd(stride, gap) for stride, gap in zip(layer.stride, layer.dilation, strict=True)]
        self.by_input = inputs < outputs // self.groups and prod(steps) == 1
        reach = [(taps - 1) // step * step for taps, step in zip(kernel, steps, strict=True)]
        distances = product(*(range(-far, far + 1, step) for far, step in zip(reach, steps, strict=True)))
        self.distances = [by for by in distances if by >= (0,) * len(by)]  # the others are the same from the other side

    def forward(self, weight: Tensor) -> Tensor:
        """Scale it, (outputs, inputs of a group, …)."""
        with torch.autocast(weight.device.type, enabled=False):
            apart = weight.unflatten(0, (self.groups, -1))
            if self.by_input:
                apart = apart.transpose(1, 2)
            sums = torch.zeros_like(apart.flatten(2)[..., 0])
            for by in self.distances:
                first, second = _from(apart, [-d for d in by]), _from(apart, by)
                sizes = (first.flatten(2) @ second.flatten(2).mT).abs()
                sums = sums + sizes.sum(2) + (sizes.sum(1) if any(by) else 0)
            scaled = apart * sums.clamp_min(TINY).rsqrt().reshape(*sums.shape, *[1] * (apart.ndim - 2))
            found: Tensor = (scaled.transpose(1, 2) if self.by_input else scaled).flatten(0, 1)
            return found


class OrthogonalKernel(nn.Module):
    """A convolution's kernel as orthogonal as its stride allows: a matrix, and projections between neighbouring taps.

    The matrix makes outputs of blocks of inputs that do not overlap, as many as the stride; before it, for every
    further tap of the kernel, a projection leaves a part of the signal where it is, and the rest is moved by one. Zero
    padding leaves a part out, which adds to no norm.

    Paper: Li et al. 2019, Preventing Gradient Attenuation in Lipschitz Constrained Convolutional Networks,
    arXiv:1911.00937; Boissin et al. 2025, An Adaptive Orthogonal Convolution Scheme, arXiv:2501.07930, for strides

    Args:
        layer: whose weight is parametrised.
    """

    def __init__(self, layer: nn.Conv1d | nn.Conv2d | nn.Conv3d) -> None:
        super().__init__()
        self.groups, self.outputs = layer.groups, layer.out_channels // layer.groups
        self.inputs = layer.in_channels // layer.groups
        geometry = zip(layer.kernel_size, layer.stride, layer.dilation, strict=True)
        # Blocks of taps that are further apart than neighbours would overlap.
        self.block = tuple(min(taps, stride) if dilation == 1 else 1 for taps, stride, dilation in geometry)
        self.width = max(self.inputs, -(-self.outputs // prod(self.block)))
        further = [[axis] * (k - b) for axis, (k, b) in enumerate(zip(layer.kernel_size, self.block, strict=True))]
        self.axes = [axis for turn in zip_longest(*further) for axis in turn if axis is not None]

    def right_inverse(self, weight: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """What to start with, at random: of the matrix, and of the projections if there are any."""
        size = self.width * prod(self.block)
        matrix = weight.new_empty(self.groups, size, self.outputs).normal_(std=size**-0.5)
        if not self.axes or self.width == 1:
            return matrix
        planes = weight.new_empty(len(self.axes), self.groups, self.width, self.width // 2)
        return matrix, planes.normal_(std=self.width**-0.5)

    def forward(self, matrix: Tensor, planes: Tensor | None = None) -> Tensor:
        """The kernel, (outputs, inputs of a group, …)."""
        with torch.autocast(matrix.device.type, enabled=False):
            kernel = (
                frame(matrix).mT.reshape(self.groups, self.outputs, self.width, *self.block).movedim((1, 2), (-2, -1))
            )
            if planes is None:
                projections = matrix.new_zeros(len(self.axes), self.groups, self.width, self.width)
            else:
                spans = frame(planes)
                projections = spans @ spans.mT
            for turn, (axis, projection) in enumerate(zip(self.axes, projections, strict=True), 1):
                kept = (kernel.flatten(1, -2) @ projection).reshape(kernel.shape)
                parts = (kept, kernel - kept) if turn % 2 else (kernel - kept, kept)
                nothing = torch.zeros_like(kernel.narrow(axis + 1, 0, 1))
                kernel = torch.cat([parts[0], nothing], axis + 1) + torch.cat([nothing, parts[1]], axis + 1)
            return kernel[..., : self.inputs].movedim((-2, -1), (1, 2)).flatten(0, 1)


def _from(apart: Tensor, place: Sequence[int]) -> Tensor:
    """The taps from a place on, or up to as many before the end."""
    for axis, start in enumerate(place, 3):
        apart = apart.narrow(axis, max(start, 0), apart.shape[axis] - abs(start))
    return apart


def frame(x: Tensor) -> Tensor:
    """Orthonormal columns, (…, n, k) → (…, n, k), by the Cayley map of a skew matrix whose first columns are given."""
    count = x.shape[-1]
    top, rest = x[..., :count, :], x[..., count:, :]
    unit = torch.eye(count, dtype=x.dtype, device=x.device)
    inverse = torch.linalg.inv_ex(unit + top - top.mT + rest.mT @ rest).inverse  # `inv` itself waits for the host
    return torch.cat([2 * inverse - unit, -2 * rest @ inverse], -2)
