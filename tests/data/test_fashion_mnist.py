"""Fashion-MNIST from its published files."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from lipbench.data import fashion_mnist
from lipbench.data.fashion_mnist import FashionMnist
from lipbench.errors import RequestError
from tests.assets import FASHION_MNIST, needs


def content(count: int, seed: int) -> bytes:
    header = np.array([2051, count, 28, 28], ">i4").tobytes()
    return header + np.random.default_rng(seed).integers(0, 256, count * 784, dtype=np.uint8).tobytes()


def classes(count: int) -> bytes:
    return np.array([2049, count], ">i4").tobytes() + bytes(range(count))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small set in the published form."""
    made = tmp_path / "fashion-mnist"
    made.mkdir()
    for part, count in (("TRAIN", 3), ("HELD_OUT", 2)):
        name = getattr(fashion_mnist, part)[0]
        (made / f"{name}.gz").write_bytes(gzip.compress(content(count, count)))
        monkeypatch.setattr(fashion_mnist, part, (name, hashlib.md5(content(count, count)).hexdigest()))
        name = getattr(fashion_mnist, f"{part}_LABELS")[0]
        (made / f"{name}.gz").write_bytes(gzip.compress(classes(count)))
        monkeypatch.setattr(fashion_mnist, f"{part}_LABELS", (name, hashlib.md5(classes(count)).hexdigest()))
    monkeypatch.setenv("LIPBENCH_DATA", str(tmp_path))
    return made


def test_pictures_are_padded_by_two_black_pixels_on_each_side(folder: Path) -> None:
    pictures = FashionMnist().load()
    assert pictures.train.shape == (3, 1, 32, 32)
    assert pictures.held_out.shape == (2, 1, 32, 32)
    assert bytes(pictures.train[:, 0, 2:30, 2:30].reshape(-1).tolist()) == content(3, 3)[16:]
    border = pictures.train.clone()
    border[:, :, 2:30, 2:30] = 0
    assert not border.any()


@pytest.mark.parametrize("place", ["fashion-mnist", "FashionMNIST/raw"])
def test_files_may_be_unpacked_and_lie_where_torchvision_puts_them(folder: Path, tmp_path: Path, place: str) -> None:
    wanted = FashionMnist().load().train
    for path in folder.iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    if place != folder.name:
        (tmp_path / place).parent.mkdir()
        folder.rename(tmp_path / place)
    assert torch.equal(FashionMnist().load().train, wanted)


def test_the_classes_are_read_after_their_header(folder: Path) -> None:
    train, held_out = FashionMnist().labels()
    assert (train.tolist(), held_out.tolist()) == ([0, 1, 2], [0, 1])


@pytest.mark.parametrize("cut", [1, 100, 1500])
def test_a_truncated_file_is_named(folder: Path, cut: int) -> None:
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(RequestError, match="train-images-idx3-ubyte.gz' cannot be read .*fetch it again"):
        FashionMnist().load()


def test_other_content_is_refused_with_both_digests(folder: Path) -> None:
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"something else"))
    with pytest.raises(RequestError, match="holds 14 bytes with md5 .*; expected .*truncated or changed"):
        FashionMnist().load()


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(RequestError, match="t10k-images-idx3-ubyte' cannot be read .*No such file"):
        FashionMnist().load()


@needs(FASHION_MNIST)
def test_the_real_pictures_have_the_known_mean_and_deviation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPBENCH_DATA", str(FASHION_MNIST.parent))
    pictures = FashionMnist().load()
    assert pictures.train.shape == (60_000, 1, 32, 32)
    assert pictures.held_out.shape == (10_000, 1, 32, 32)
    # As every recipe for Fashion-MNIST normalises its 28×28 pixels: .2860 and .3530.
    inner = pictures.train[:, :, 2:30, 2:30].numpy().astype(np.float32) / 255
    assert inner.mean(dtype=np.float64) == pytest.approx(0.2860, abs=1e-4)
    assert inner.std(dtype=np.float64) == pytest.approx(0.3530, abs=1e-4)
