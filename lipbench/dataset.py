"""The plugin interface for data: pictures as bytes, split into training and held-out ones, or a pair."""

from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from lipbench.pair import Pair
from lipbench.plugin import Plugin


@dataclass(frozen=True)
class Pictures:
    """A data set's pictures, values 0 to 255.

    Attributes:
        train: what critics and generators are trained on.
        held_out: real pictures that no training step sees.
    """

    train: UInt8[Tensor, "n c h w"]
    held_out: UInt8[Tensor, "m c h w"]

    def split(self, name: str) -> UInt8[Tensor, "k c h w"]:
        """The pictures of ``train``, ``held_out`` or ``all``."""
        return torch.cat([self.train, self.held_out]) if name == "all" else getattr(self, name)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one picture."""
        channels, height, width = self.train.shape[1:]
        return channels, height, width


def digest(*parts: Tensor) -> str:
    """Eight hex digits of all numbers, in their order."""
    found = sha256()
    for part in parts:
        found.update(part.cpu().numpy().tobytes())
    return found.hexdigest()[:8]


class Dataset(Plugin):
    """Where pictures, or a pair of distributions, come from.

    Annotated fields are parameters, set by name: ``folder[path=images,size=32]``.

    Attributes:
        source: where the data was published.
        default_split: the part that ``lipbench evaluate`` compares with unless told: train, held_out or all.
    """

    source: ClassVar[str] = ""
    default_split: ClassVar[Literal["train", "held_out", "all"]] = "train"

    def load(self) -> Pictures | Pair:
        """Return the pictures, on the CPU, or two distributions for a critic alone.

        Raises:
            RequestError: the data is missing or damaged.
        """
        raise NotImplementedError


def to_unit(pictures: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Bytes as float32 in [−1, 1]."""
    return pictures.float() / 127.5 - 1


def to_bytes(pictures: Float[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h w"]:
    """Pictures in [−1, 1] as bytes, rounded."""
    return ((pictures + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
