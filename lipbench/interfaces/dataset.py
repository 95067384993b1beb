"""The plugin interface for data: pictures as bytes, in training and held-out ones, a distribution, or a pair."""

from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from typing import Any, ClassVar, Literal, no_type_check

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from lipbench.errors import PluginError
from lipbench.interfaces.distribution import Distribution
from lipbench.interfaces.modes import Modes
from lipbench.interfaces.pair import Pair
from lipbench.interfaces.plugin import Plugin

SHARED = 0.1  # of the held-out pictures: that fewer are also training pictures happens in published data


@no_type_check  # its own checks speak to whoever wrote a data set, while testing too
@dataclass(frozen=True)
class Pictures:
    """A data set's pictures, values 0 to 255, on the CPU.

    Attributes:
        train: what critics and generators are trained on.
        held_out: real pictures that no training step sees.
        notes: sentences for whoever trains on the pictures or compares with them.
        modes: how pictures are told apart by their modes, as bytes; None where nothing is counted.

    Raises:
        PluginError: a part is anything else, or empty, or the two differ in the shape of a picture.
    """

    train: UInt8[Tensor, "n c h w"]
    held_out: UInt8[Tensor, "m c h w"]
    notes: tuple[str, ...] = ()
    modes: Modes | None = None

    def __post_init__(self) -> None:
        if isinstance(self.notes, str):
            raise PluginError(f"notes is {self.notes!r}; expected a tuple of sentences: notes=('…',)")
        _check_bytes("train", self.train)
        _check_bytes("held_out", self.held_out)
        shapes = {name: tuple(getattr(self, name).shape) for name in ("train", "held_out")}
        if 0 in shapes["train"] + shapes["held_out"]:
            raise PluginError(
                f"train has the shape {shapes['train']} and held_out {shapes['held_out']}; expected some pictures of "
                f"both: Pictures(train=x[len(x) // 10 :], held_out=x[: len(x) // 10]) holds out a tenth of x"
            )
        if shapes["train"][1:] != shapes["held_out"][1:]:
            raise PluginError(
                f"pictures of train have the shape {shapes['train'][1:]} and those of held_out "
                f"{shapes['held_out'][1:]}; expected the same (c, h, w): bring both to one size and one number of "
                f"channels"
            )

    def split(self, name: str) -> UInt8[Tensor, "k c h w"]:
        """The pictures of ``train``, ``held_out`` or ``all``."""
        return torch.cat([self.train, self.held_out]) if name == "all" else getattr(self, name)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one picture."""
        channels, height, width = self.train.shape[1:]
        return channels, height, width


def remarks(pictures: Pictures) -> list[str]:
    """What whoever trains on the pictures must know: the notes that came with them, and what is odd about them."""
    said = list(pictures.notes)
    train, held_out = ([hash(row.tobytes()) for row in part.numpy()] for part in (pictures.train, pictures.held_out))
    different = set(train)
    shared = sum(picture in different for picture in held_out)
    if pictures.train.max() <= 1:
        said.append("no value of the training pictures is above 1, and 255 is white; floats in 0..1 come times 255")
    if len(different) == 1 < len(train):
        said.append(f"all {len(train):,} training pictures are equal")
    elif len(different) <= len(train) / 2:
        said.append(f"of {len(train):,} training pictures only {len(different):,} differ from one another")
    if shared >= SHARED * len(held_out):
        said.append(
            f"{shared:,} of {len(held_out):,} held-out pictures are training pictures, too; what is measured on the "
            f"held-out ones does not show how a critic treats pictures that it has not seen"
        )
    return said


def digest(*parts: Tensor) -> str:
    """Eight hex digits of all numbers, in their order."""
    found = sha256()
    for part in parts:
        found.update(part.cpu().numpy().tobytes())
    return found.hexdigest()[:8]


class Dataset(Plugin):
    """Where pictures, points of a distribution, or a pair of distributions come from.

    Annotated fields are parameters, set by name: ``folder[path=images,size=32]``.

    Attributes:
        source: where the data was published.
        default_split: the part that ``lipbench evaluate`` compares with unless told: train, held_out or all.
    """

    source: ClassVar[str] = ""
    default_split: ClassVar[Literal["train", "held_out", "all"]] = "train"

    def load(self) -> "Data":
        """Return pictures, on the CPU, a distribution of points, or two distributions for a critic alone.

        Raises:
            RequestError: the data is missing or damaged.
        """
        raise NotImplementedError


Data = Pictures | Distribution | Pair


def to_unit(pictures: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Bytes as float32 in [−1, 1]."""
    return pictures.float() / 127.5 - 1


def to_bytes(pictures: Float[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h w"]:
    """Pictures in [−1, 1] as bytes, rounded."""
    return ((pictures + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def _check_bytes(part: str, given: Any) -> None:
    """See that `given` is what a part of `Pictures` may be.

    Raises:
        PluginError: it is not; the message has the expression that makes it right.
    """
    expected = "expected a tensor of bytes from 0 to 255 (torch.uint8) with the shape (n, c, h, w), on the CPU"
    is_array = isinstance(given, np.ndarray) and given.dtype.kind in "biuf"
    if not is_array and (not isinstance(given, Tensor) or given.is_complex()):
        kind = f"{type(given).__name__} of {given.dtype}" if hasattr(given, "dtype") else type(given).__name__
        cure = ": torch.stack(x) makes one of tensors of one shape" if isinstance(given, list | tuple) else ""
        raise PluginError(f"{part} is of type {kind}; {expected}{cure}")
    values = torch.from_numpy(given.copy()) if is_array else given
    on_cpu, four = values.device.type == "cpu", values.ndim == 4
    # Nobody's picture is three numbers wide and has more than four channels.
    channels_last = four and values.shape[3] <= 4 and min(values.shape[1:3]) > 4
    if not is_array and values.dtype == torch.uint8 and on_cpu and four and not channels_last:
        return
    x = ("torch.from_numpy(x)" if is_array else "x") + ("" if on_cpu else ".cpu()")
    if channels_last:
        x += ".permute(0, 3, 1, 2)"
    elif not four:
        x += "[:, None]" if values.ndim == 3 else ".reshape(n, c, h, w)"
    known = values.numel() and values.device.type != "meta"
    low, high = (float(values.double().min()), float(values.double().max())) if known else (0.0, 0.0)
    kind = f"an array of {given.dtype}" if is_array else f"a tensor of {str(values.dtype).removeprefix('torch.')}"
    reach = f" from {low:g} to {high:g}" if known else ""
    place = "" if on_cpu else f" on {values.device}"
    raise PluginError(
        f"{part} is {kind}{reach} with the shape {tuple(values.shape)}{place}; {expected}: "
        f"{_as_bytes(x, values.dtype, low, high)}"
    )


def _as_bytes(x: str, dtype: torch.dtype, low: float, high: float) -> str:
    """The cure: an expression that makes bytes of `x`, whose values reach from `low` to `high`."""
    if dtype == torch.uint8:
        return f"give {x}"
    if dtype == torch.bool:
        return f"give (255 * {x}).to(torch.uint8)"
    if not isfinite(low + high):
        return "find out where its NaN or infinite values come from"
    if not dtype.is_floating_point and low >= 0 and high <= 255:
        return f"give {x}.to(torch.uint8)"
    if dtype.is_floating_point and low >= 0 and high <= 1:
        return f"give (255 * {x}).round().to(torch.uint8)"
    if dtype.is_floating_point and low >= -1 and high <= 1:
        return f"give (127.5 * ({x} + 1)).round().to(torch.uint8)"
    return f"bring train and held_out by one scale to 0..255, then give {x}.round().to(torch.uint8)"
