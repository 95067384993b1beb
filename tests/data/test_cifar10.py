"""CIFAR-10 in both of its published forms."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from lipbench.data import cifar10
from lipbench.data.cifar10 import Cifar10
from lipbench.errors import RequestError
from tests.assets import CIFAR10, needs

COUNT = 4  # pictures in a file of the tests


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def binary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small set in the official binary form: a byte for the class, then 3,072 for the picture."""
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for table in (cifar10.TRAIN, cifar10.HELD_OUT):
        for name in table:
            rng.integers(0, 256, COUNT * 3073, dtype=np.uint8).tofile(folder / name)
            monkeypatch.setitem(table, name, md5(folder / name))
    monkeypatch.setenv("LIPBENCH_DATA", str(tmp_path))
    return folder


def test_the_binary_version_is_read_record_by_record(binary: Path) -> None:
    pictures = Cifar10().load()
    assert pictures.train.shape == (5 * COUNT, 3, 32, 32)
    assert pictures.held_out.shape == (COUNT, 3, 32, 32)
    second = (binary / "data_batch_1.bin").read_bytes()[3073 + 1 :]
    assert pictures.train[1, 0, 0, :3].tolist() == list(second[:3])
    assert pictures.train[1, 2, 31, 31].item() == second[3071]
    train, held_out = Cifar10().labels()
    assert (len(train), len(held_out)) == (5 * COUNT, COUNT)
    assert held_out.tolist() == list((binary / "test_batch.bin").read_bytes()[::3073])


def test_the_pickled_version_gives_the_same_pictures_and_classes(
    binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, labels = Cifar10().load(), Cifar10().labels()
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    parts = zip(wanted.split("all").split(COUNT), torch.cat(labels).split(COUNT), strict=True)
    for (name, _), (part, of) in zip(cifar10.CIFAR10.train_list + cifar10.CIFAR10.test_list, parts, strict=True):
        batch = {"data": part.reshape(COUNT, -1).numpy(), "labels": of.tolist()}
        (folder / name).write_bytes(pickle.dumps(batch))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": ["a"]}))
    for listed in ("train_list", "test_list"):
        digests = [[name, md5(folder / name)] for name, _ in getattr(cifar10.CIFAR10, listed)]
        monkeypatch.setattr(torchvision.datasets.CIFAR10, listed, digests)
    monkeypatch.setitem(cifar10.CIFAR10.meta, "md5", md5(folder / "batches.meta"))
    binary.rename(tmp_path / "away")
    found = Cifar10().load()
    assert torch.equal(found.train, wanted.train)
    assert torch.equal(found.held_out, wanted.held_out)
    assert all(map(torch.equal, Cifar10().labels(), labels))
    (folder / "data_batch_3").write_bytes(b"half")
    with pytest.raises(RequestError, match="data_batch_3' .4 bytes. has md5"):
        Cifar10().load()


def test_a_truncated_file_is_named(binary: Path) -> None:
    path = binary / "data_batch_2.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RequestError, match=r"data_batch_2.bin' \(12,291 bytes\) has md5 .*; expected .*truncated"):
        Cifar10().load()


def test_without_data_and_network_the_message_says_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setenv("LIPBENCH_DATA", str(tmp_path))
    monkeypatch.setattr("torchvision.datasets.cifar.download_and_extract_archive", refuse)
    with pytest.raises(
        RequestError,
        match=rf"CIFAR-10 is not in the data folder '{tmp_path}' and cannot be downloaded "
        r"\(Name or service not known\); expected a folder cifar-10-batches-py or cifar-10-batches-bin in it",
    ):
        Cifar10().load()


def test_a_data_folder_that_cannot_be_written_to_is_named_with_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPBENCH_DATA", str(tmp_path))
    (tmp_path / ".lock.1").mkdir()
    with pytest.raises(RequestError, match="CIFAR-10 is not in the data folder .* Name the folder that holds it by"):
        Cifar10().load()


@needs(CIFAR10)
def test_the_real_pictures_have_the_known_means_and_deviations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPBENCH_DATA", str(CIFAR10.parent))
    pictures = Cifar10().load()
    assert pictures.train.shape == (50_000, 3, 32, 32)
    assert pictures.held_out.shape == (10_000, 3, 32, 32)
    # As every recipe for CIFAR-10 normalises: .4914, .4822, .4465 and .2470, .2435, .2616.
    numbers = pictures.train.numpy().astype(np.float32) / 255
    assert numbers.mean(axis=(0, 2, 3), dtype=np.float64) == pytest.approx([0.4914, 0.4822, 0.4465], abs=1e-4)
    assert numbers.std(axis=(0, 2, 3), dtype=np.float64) == pytest.approx([0.2470, 0.2435, 0.2616], abs=1e-4)
