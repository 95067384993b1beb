"""STL-10 from its published binary files."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from lipbench.data import stl10
from lipbench.data.stl10 import Stl10
from lipbench.errors import RequestError

NAMES = {"unlabeled_X.bin": 3, "test_X.bin": 2}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small set in the published form: red, green and blue planes, each written column by column."""
    made = tmp_path / "stl10_binary"
    made.mkdir()
    for name, count in NAMES.items():
        np.random.default_rng(count).integers(0, 256, count * 3 * 96 * 96, dtype=np.uint8).tofile(made / name)
        monkeypatch.setitem(stl10.PUBLISHED, name, hashlib.md5((made / name).read_bytes()).hexdigest())
    monkeypatch.setenv("LIPBENCH_DATA", str(tmp_path))
    monkeypatch.setenv("LIPBENCH_CACHE", str(tmp_path / "cache"))
    return made


def test_planes_are_written_column_by_column(folder: Path) -> None:
    pictures = Stl10(size=96).load()
    assert pictures.train.shape == (3, 3, 96, 96)
    raw = (folder / "unlabeled_X.bin").read_bytes()
    assert pictures.train[0, 0, :3, 0].tolist() == list(raw[:3])
    assert pictures.train[0, 1, 0, 1].item() == raw[96 * 96 + 96]


def test_pictures_are_reduced_to_48_by_an_antialiased_filter(folder: Path) -> None:
    pictures, whole = Stl10().load(), Stl10(size=96).load()
    assert pictures.train.shape == (3, 3, 48, 48)
    assert pictures.held_out.shape == (2, 3, 48, 48)
    # Halving by a triangle of twice the width weighs four rows 1, 3, 3, 1.
    weights = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    window = whole.train[0, 0, 9:13, 19:23].float()
    assert pictures.train[0, 0, 5, 10].item() == pytest.approx(float(weights @ window @ weights), abs=1.5)


def test_the_reduced_pictures_are_kept(folder: Path) -> None:
    first = Stl10().load()
    for path in folder.iterdir():
        path.unlink()
    assert torch.equal(Stl10().load().train, first.train)


def test_a_truncated_file_is_named_and_not_kept(folder: Path, tmp_path: Path) -> None:
    path = folder / "unlabeled_X.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RequestError, match="unlabeled_X.bin' .*has md5 .*; expected .*truncated"):
        Stl10().load()
    assert not (tmp_path / "cache").exists()


def test_a_size_that_would_enlarge_is_refused() -> None:
    with pytest.raises(ValueError, match="size must be between 1 and 96"):
        Stl10(size=97)
