"""CIFAR-10: 32×32 colour photographs of ten classes, 50,000 for training and 10,000 held out.

Source: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images, https://www.cs.toronto.edu/~kriz/cifar.html
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.datasets import CIFAR10

from lipbench.data import _files
from lipbench.interfaces.dataset import Dataset, Pictures

TRAIN = {
    "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
    "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
    "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
    "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
    "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
}
HELD_OUT = {"test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d"}
BINARY, PICKLED, META = "cifar-10-batches-bin", CIFAR10.base_folder, CIFAR10.meta
Part = tuple[Tensor, Tensor]  # pictures and their classes


class Cifar10(Dataset):
    """Read from the official binary version where it lies in the data folder, else through torchvision."""

    def load(self) -> Pictures:
        """Check every file's digest and read it."""
        (train, _), (held_out, _) = _parts()
        return Pictures(train=train, held_out=held_out)

    def labels(self) -> tuple[Tensor, Tensor]:
        """The classes of the training pictures and of the held-out ones, 0 to 9, (n,) and (m,); errors as of `load`."""
        (_, train), (_, held_out) = _parts()
        return train, held_out


def _parts() -> tuple[Part, Part]:
    binary = _files.find(BINARY)
    if binary is not None:
        _files.check_md5(binary, TRAIN | HELD_OUT)
        return _read(binary, TRAIN), _read(binary, HELD_OUT)
    folder = _files.find(PICKLED) or _files.fetch(
        "CIFAR-10", PICKLED, lambda work: CIFAR10(work, download=True), otherwise=BINARY
    )
    _files.check_md5(folder, dict([*CIFAR10.train_list, *CIFAR10.test_list, [META["filename"], META["md5"]]]))
    return _published(folder, train=True), _published(folder, train=False)


def _read(folder: Path, names: dict[str, str]) -> Part:
    """A record is one byte for the class and 3,072 for the picture."""
    records = np.concatenate([np.fromfile(folder / name, np.uint8).reshape(-1, 3073) for name in names])
    pictures = torch.from_numpy(np.ascontiguousarray(records[:, 1:])).reshape(-1, 3, 32, 32)
    return pictures, torch.from_numpy(records[:, 0].astype(np.int64))


def _published(folder: Path, *, train: bool) -> Part:
    found = CIFAR10(folder.parent, train=train)
    return torch.from_numpy(found.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(found.targets)
