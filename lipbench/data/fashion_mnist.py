"""Fashion-MNIST: grey pictures of clothes, 60,000 for training and 10,000 held out, 28×28 padded to 32×32.

Source: Xiao, Rasul & Vollgraf 2017, Fashion-MNIST, arXiv:1708.07747
"""

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torchvision.datasets import FashionMNIST as Published

from lipbench.data import _files
from lipbench.errors import RequestError
from lipbench.interfaces.dataset import Dataset, Pictures

RAW, PACKAGED = "FashionMNIST/raw", "fashion-mnist"
# Of the content: distributions compress it again, so the published digests of the .gz files would refuse theirs.
TRAIN = ("train-images-idx3-ubyte", "f4a8712d7a061bf5bd6d2ca38dc4d50a")
HELD_OUT = ("t10k-images-idx3-ubyte", "8181f5470baa50b63fa0f6fddb340f0a")
TRAIN_LABELS = ("train-labels-idx1-ubyte", "9018921c3c673c538a1fc5bad174d6f9")
HELD_OUT_LABELS = ("t10k-labels-idx1-ubyte", "15d484375f8d13e6eb1aabb0c3f46965")
HEADER, LABELS_HEADER = 16, 8  # bytes


class FashionMnist(Dataset):
    """Read from the published IDX files, compressed or not."""

    def load(self) -> Pictures:
        """Check both files' contents and pad two black pixels on each side."""
        folder = _folder()
        return Pictures(train=_pictures(folder, *TRAIN), held_out=_pictures(folder, *HELD_OUT))

    def labels(self) -> tuple[Tensor, Tensor]:
        """The classes of the training pictures and of the held-out ones, 0 to 9, (n,) and (m,); errors as of `load`."""
        folder = _folder()
        return _labels(folder, *TRAIN_LABELS), _labels(folder, *HELD_OUT_LABELS)


def _folder() -> Path:
    return _files.find(RAW, PACKAGED) or _files.fetch(
        "Fashion-MNIST", RAW, lambda work: Published(work, download=True), otherwise=PACKAGED
    )


def _pictures(folder: Path, name: str, md5: str) -> Tensor:
    pictures = torch.from_numpy(_read(folder, name, md5)[HEADER:].copy()).reshape(-1, 1, 28, 28)
    return F.pad(pictures, (2, 2, 2, 2))


def _labels(folder: Path, name: str, md5: str) -> Tensor:
    return torch.from_numpy(_read(folder, name, md5)[LABELS_HEADER:].astype(np.int64))


def _read(folder: Path, name: str, md5: str) -> NDArray[np.uint8]:
    path = next((path for path in (folder / f"{name}.gz", folder / name) if path.exists()), folder / name)
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise RequestError(
            f"{str(path)!r} cannot be read ({error}); expected {name}.gz or {name} as published: fetch it again, "
            f"or choose another --data-root"
        ) from None
    found = hashlib.md5(content).hexdigest()
    if found != md5:
        raise RequestError(
            f"{str(path)!r} holds {len(content):,} bytes with md5 {found}; expected {md5}: it is truncated or changed. "
            f"Fetch it again, or move {folder.name} away to have it downloaded"
        )
    return np.frombuffer(content, np.uint8)
