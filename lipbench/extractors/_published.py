"""Networks that others publish: their weights are found or fetched once, and read without running code from them."""

import warnings
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, ClassVar

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x
from torchvision.transforms.functional import normalize

from lipbench.disk.places import exclusive, expanded
from lipbench.errors import RequestError, StoreError
from lipbench.interfaces.extractor import Extractor

State = dict[str, Any]
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and deviation of its pictures' channels, from 0 to 1


def given(what: str, path: str | Path, expected: str) -> Path:
    """The file of weights that the user named.

    Raises:
        RequestError: it is not there.
    """
    file = expanded(path)
    try:
        file.stat()
    except OSError as error:
        raise RequestError(f"{what} {str(file)!r}: {error.strerror}; expected {expected}") from None
    return file


def kept(name: str) -> Path:
    """Where torch keeps the weights of this name."""
    return Path(torch.hub.get_dir(), "checkpoints", name)


def fetched(what: str, url: str, name: str, cure: str) -> Path:
    """The published file of weights, downloaded where it is not yet.

    Args:
        what: for messages, such as ``Inception weights``.
        url: where it is published.
        name: under which torch keeps it; it ends in a dash and the first digits of the file's SHA-256.
        cure: what to do where there is no network.

    Raises:
        RequestError: it is not there and cannot be downloaded.
    """
    path = kept(name)
    if path.exists():  # perhaps where nobody may write
        return path
    try:
        with exclusive(path.with_suffix(".lock")):
            if not path.exists():  # it appears under its name when it is whole and its digest is right
                torch.hub.download_url_to_file(url, str(path), hash_prefix=path.stem.rpartition("-")[2])
    except (OSError, RuntimeError, StoreError) as error:
        raise RequestError(
            f"the {what} are not at {str(path)!r} and cannot be downloaded ({error}); expected {url}: {cure}; where "
            f"there is a network, `lipbench prepare` brings it"
        ) from None
    return path


def load(what: str, path: Path, make: Callable[[State], nn.Module], expected: str) -> nn.Module:
    """The network with the weights of a file.

    Args:
        what: for messages.
        path: the file.
        make: makes the network of its state dict.
        expected: which file would be right.

    Raises:
        RequestError: the file is damaged, or of another network.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # torch warns of a file that it then refuses
            state = torch.load(path, map_location="cpu", weights_only=True)
        return make(state)
    except Exception as error:  # torch raises whatever the damage makes it trip over
        said = " ".join(str(error).split())[:200] or type(error).__name__
        reason = "it is not a checkpoint of plain tensors" if isinstance(error, UnpicklingError) else said
        raise RequestError(
            f"{what} {str(path)!r} ({path.stat().st_size:,} bytes) cannot be used: {reason}; expected {expected}"
        ) from None


class Resized(nn.Module):
    """A network that takes pictures of one size with normalised channels, given bytes of any size.

    Pictures are resized as torch-fidelity does, for the features that it gives.
    """

    def __init__(self, network: nn.Module, size: int, mean: tuple[float, ...], deviation: tuple[float, ...]) -> None:
        super().__init__()
        self.network, self.size = network, size
        self.mean, self.deviation = [255 * part for part in mean], [255 * part for part in deviation]

    def forward(self, pictures: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n k"]:
        """Features of (n, 3, h, w) bytes."""
        size = (self.size, self.size)
        resized = interpolate_bilinear_2d_like_tensorflow1x(pictures.float(), size=size, align_corners=False)
        found: Tensor = self.network(normalize(resized, self.mean, self.deviation))
        return found


class OfVariants(Extractor):
    """One of a family of networks: `variant` is its name, `path` a file of weights."""

    _features: ClassVar[dict[str, int]]
    variant: str
    path: str = ""

    def __post_init__(self) -> None:
        if self.variant not in self._features:
            raise ValueError(f"variant is {self.variant!r}; expected one of: {', '.join(self._features)}")

    @property
    def features(self) -> int:
        """How many."""
        return self._features[self.variant]
