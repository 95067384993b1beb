"""What the critics of published projects are made of, each as a layer that keeps 4 channels: (n, 4, h, w)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

Layer = Callable[[], nn.Module]


class Call(nn.Module):
    """A function as a layer, with learned tensors `a` (4, 1, 1), `one` (1,) and a matrix `square` (4, 4)."""

    def __init__(self, function: Callable[["Call", Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        self.a = nn.Parameter(torch.randn(4, 1, 1))
        self.one = nn.Parameter(torch.randn(1))
        self.square = nn.Parameter(torch.randn(4, 4))
        self.register_buffer("fixed", torch.randn(4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


def call(function: Callable[[Call, Tensor], Tensor]) -> Layer:
    return lambda: Call(function)


class PreActivation(nn.Module):
    """The skip sees what the rectifier in place has left."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = x * 1.0
        return self.second(self.relu(self.first(self.relu(x)))) + x


def batch_norm() -> nn.Module:
    layer = nn.BatchNorm2d(4).eval()
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    layer.running_mean.normal_()
    layer.running_var.uniform_(0.5, 2)
    return layer


def in_place(x: Tensor) -> Tensor:
    y = x.clone()
    y += x
    y.mul_(0.5).clamp_(-1, 1)
    nn.functional.leaky_relu_(y, 0.2)
    return y + x


def list_of_maps(self: Call, x: Tensor) -> Tensor:
    return sum([x.relu(), x, (-x).relu()])  # type: ignore[return-value]  # the sum of tensors is one


def labels(self: Call, x: Tensor) -> Tensor:
    """A label for each sample, as maps beside its channels, and as a projection."""
    label = torch.arange(len(x), dtype=x.dtype).view(-1, 1, 1, 1) / 7
    maps = label.expand(-1, 1, *x.shape[2:])
    joined = torch.cat([x[:, :3], maps], dim=1)
    return joined * (1 + label) + label


def attention_off(self: Call, x: Tensor) -> Tensor:
    """SAGAN's gain before a branch."""
    return self.one * x.relu() + x


ELEMENTWISE: dict[str, Layer] = {
    "abs": call(lambda self, x: x.abs()),
    "clamp": call(lambda self, x: x.clamp(-0.5, 0.7)),
    "clamp at the bounds": call(lambda self, x: x.clamp(-1, 1) + x.clamp_min(0.5)),
    "clamp from below": call(lambda self, x: torch.clamp(x, min=-0.1)),
    "clamp_max": call(lambda self, x: x.clamp_max(0.3)),
    "relu6": nn.ReLU6,
    "hardtanh": nn.Hardtanh,
    "hardtanh in place": lambda: nn.Sequential(nn.Conv2d(4, 4, 1), nn.Hardtanh(-0.5, 0.5, inplace=True)),
    "threshold": lambda: nn.Threshold(0.1, 0.5),
    "prelu": nn.PReLU,
    "prelu of channels": lambda: nn.PReLU(4),
    "rrelu in eval": lambda: nn.RReLU().eval(),
    "hardshrink": lambda: nn.Hardshrink(0.2),
    "softshrink": lambda: nn.Softshrink(0.2),
    "where by its own sign": call(lambda self, x: torch.where(x > 0, x, 0.2 * x)),
    "masked by its own sign": call(lambda self, x: x * (x > 0).to(x.dtype)),
    "where to a constant": call(lambda self, x: torch.where(x < 0.5, x, self.a)),
    "maximum with a learned floor": call(lambda self, x: torch.maximum(x, self.a)),
    "maximum of two": call(lambda self, x: torch.max(x, x.flip(1))),
    "in place": call(lambda self, x: in_place(x)),
    "pre-activation block": PreActivation,
    "no-ops": call(lambda self, x: x.to(x.device).type_as(x).contiguous().clone().to(self.a)),
    "dropout in eval": lambda: nn.Sequential(nn.Dropout2d().eval(), nn.Dropout(0.0), nn.Conv2d(4, 4, 1)),
    "detached": call(lambda self, x: x + (x.detach() * 2 - 1) * x.relu().detach()),
}
CONSTANTS: dict[str, Layer] = {
    "a number": call(lambda self, x: (1 - x) * 2 + 0.5 - x / 4),
    "a sum of a list": call(list_of_maps),
    "a learned constant": call(lambda self, x: x + self.a - self.one),
    "a constant less it": call(lambda self, x: self.a - x),
    "a fixed constant": call(lambda self, x: self.fixed + x * self.fixed),
    "a learned scale": call(lambda self, x: x * self.a),
    "a learned number": call(attention_off),
    "a divisor": call(lambda self, x: x / (1 + self.a.abs())),
    "an added scale": call(lambda self, x: torch.add(x, self.a, alpha=0.3)),
    "a label": call(labels),
    "ones beside it": call(lambda self, x: torch.cat([x[:, 1:], torch.ones_like(x[:, :1])], 1)),
    "a learned map beside it": call(
        lambda self, x: torch.cat([x[:, 1:], self.a[:1].expand(len(x), 1, *x.shape[2:])], 1)
    ),
    "padding with a number": call(lambda self, x: F.pad(x, (1, 0, 0, 1), value=0.7)),
    "batch norm in eval": batch_norm,
    "lerp": call(lambda self, x: torch.lerp(x, x.relu(), 0.3)),
}
SHAPES: dict[str, Layer] = {
    "flip and roll": call(lambda self, x: x.flip(3).roll(1, 2)),
    "repeat": call(lambda self, x: x[:, :2].repeat(1, 2, 1, 1)),
    "expand": call(lambda self, x: x.mean(1, keepdim=True).expand(-1, 4, -1, -1)),
    "stack and unbind": call(lambda self, x: torch.stack(x.unbind(1)[::-1], dim=1)),
    "stack with a constant": call(
        lambda self, x: torch.stack([x[:, 0], torch.zeros_like(x[:, 0]), x[:, 2], x[:, 1]], 1)
    ),
    "unflatten": call(lambda self, x: x.unflatten(1, (2, 2)).transpose(1, 2).flatten(1, 2)),
    "select and index": call(lambda self, x: x[:, [3, 1, 0, 2]] + x.select(1, 0).unsqueeze(1)),
    "index_select": call(lambda self, x: x.index_select(1, torch.tensor([0, 0, 1, 3]))),
    "unfold": call(lambda self, x: x.unfold(2, 1, 1).squeeze(-1) + F.unfold(x, 1).view_as(x)),
    "pixel shuffle": call(lambda self, x: F.pixel_unshuffle(F.interpolate(x, scale_factor=2), 2)[:, ::4]),
    "cumsum": call(lambda self, x: x.cumsum(1)),
    "permuted": call(lambda self, x: x.permute(0, 2, 3, 1).contiguous().movedim(-1, 1).mT.swapaxes(2, 3)),
    "channel shuffle": lambda: nn.ChannelShuffle(2),
}
FOLDED: dict[str, Layer] = {
    "blurred channel by channel": call(
        lambda self, x: F.conv2d(
            F.pad(x.reshape(-1, 1, *x.shape[2:]), (1, 0, 1, 0)), self.square[None, None, :2, :2]
        ).view_as(x)
    ),
    "pixels as samples": call(
        lambda self, x: (
            (x.permute(0, 2, 3, 1).reshape(-1, 4).relu() @ self.square + self.square[0])
            .reshape(len(x), *x.shape[2:], 4)
            .permute(0, 3, 1, 2)
        )
    ),
    "pooled channel by channel": call(
        lambda self, x: x.flatten(0, 1).max(1)[0].unflatten(0, (x.shape[0], 4)).unsqueeze(2) + x
    ),
    "a label's channel": call(lambda self, x: x[torch.arange(len(x)), torch.arange(len(x)) % 4].unsqueeze(1) + x),
    "dead attention": call(lambda self, x: (x.flatten(1).softmax(1).log(), x * 2)[1]),
}
POOLS: dict[str, Layer] = {
    "max pooling": lambda: nn.MaxPool2d(2, 1, 1),
    "adaptive max pooling": lambda: nn.AdaptiveMaxPool2d(2),
    "amax": call(lambda self, x: x - x.amax((2, 3), keepdim=True)),
    "amax of what is masked": call(
        lambda self, x: x + torch.where(x == -1, -torch.inf, x).amax((2, 3), keepdim=True).clamp_min(-9)
    ),
    "amin after a rectifier": call(lambda self, x: x + x.relu().amin(1, keepdim=True)),
    "max along channels": call(lambda self, x: x + x.max(dim=1, keepdim=True).values + x.max(2)[0].unsqueeze(2)),
    "maxout": call(lambda self, x: x.unflatten(1, (2, 2)).max(2)[0].repeat(1, 2, 1, 1)),
    "sorted": call(lambda self, x: x.sort(dim=1, descending=True).values),
    "topk": call(lambda self, x: x.topk(2, dim=1)[0].repeat(1, 2, 1, 1)),
    "median": call(lambda self, x: x - x.median(dim=1, keepdim=True).values),
    "bilinear": lambda: nn.Upsample(scale_factor=2, mode="bilinear"),
    "bicubic": lambda: nn.Upsample(scale_factor=0.5, mode="bicubic"),
    "blur": call(lambda self, x: F.conv2d(x, torch.ones(4, 1, 2, 2, dtype=x.dtype) / 4, groups=4, padding=1)),
}
WEIGHTS: dict[str, Layer] = {
    "conv transposed": lambda: nn.ConvTranspose2d(4, 4, 3, 2, 1, output_padding=1),
    "conv transposed in groups": lambda: nn.ConvTranspose2d(4, 4, 2, groups=2, bias=False, dilation=2),
    "padding same": lambda: nn.Conv2d(4, 4, 3, padding="same", dilation=2),
    "padding same, even kernel": lambda: nn.Conv2d(4, 4, 2, padding="same"),
    "padding of reflections": lambda: nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"),
    "depthwise": lambda: nn.Conv2d(4, 4, 3, padding=1, groups=4),
    "matmul": call(lambda self, x: (x.permute(0, 2, 3, 1) @ self.square).permute(0, 3, 1, 2)),
    "matmul from the left": call(lambda self, x: torch.matmul(self.square, x.flatten(2)).view_as(x)),
    "mm and addmm": call(
        lambda self, x: (
            x + torch.addmm(self.square[0], torch.mm(x.mean((2, 3)), self.square), self.square)[..., None, None]
        )
    ),
    "einsum": call(lambda self, x: torch.einsum("nchw,cd->ndhw", x, self.square)),
    "einsum with dots": call(lambda self, x: torch.einsum("...chw,cd->...dhw", x, self.square)),
    "a gain of the same size": call(
        lambda self, x: x + torch.einsum("...i,...i->...", x, self.square[0, : x.shape[-1]])[..., None]
    ),
    "a gain of another type": call(lambda self, x: x * self.a.type_as(x) + self.one.to(x) + self.a.expand_as(x)),
    "einsum with a label": call(
        lambda self, x: torch.einsum("nchw,nc->nhw", x, self.square[torch.arange(len(x)) % 4]).unsqueeze(1) + x
    ),
    "bmm": call(lambda self, x: torch.bmm(x.flatten(2).mT, self.square.expand(len(x), 4, 4)).mT.view_as(x)),
    "equalised layer": call(lambda self, x: F.conv2d(x, self.square[:, :, None, None] * 0.5, self.a.flatten())),
    "spectral norm": lambda: spectral_norm(nn.Conv2d(4, 4, 3, padding=1)),
    "weight norm": lambda: weight_norm(nn.Conv2d(4, 4, 3, padding=1)),
}
LAYERS = {**ELEMENTWISE, **CONSTANTS, **SHAPES, **FOLDED, **POOLS, **WEIGHTS}


def critic_of(*layers: nn.Module) -> nn.Module:
    """A critic for points of (2, 4, 4) with these layers between its first and its last."""
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), *layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 1)
    )
