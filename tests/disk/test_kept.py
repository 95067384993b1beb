"""Arrays in the cache folder."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from lipbench.disk.kept import Arrays, kept
from lipbench.errors import StoreError


class Cache:
    """A file of the cache, and what is said of it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.said = folder / "cache" / "numbers.npz", list[str]()

    def ask(self, value: float, subject: str = "numbers") -> float:
        def fits(arrays: Arrays) -> bool:
            return arrays.keys() == {"a"} and arrays["a"].shape == (100,)

        return float(
            kept(self.path, subject, lambda: {"a": np.full(100, float(value))}, fits, self.said.append)["a"][0]
        )


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    made = Cache(tmp_path)
    made.ask(1)
    assert made.ask(2) == 1
    assert not made.said
    return made


class Running:
    """What a pickle makes of it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("form", ["pickle", "npy", "npz"])
def test_no_file_of_the_cache_runs_code(cache: Cache, tmp_path: Path, form: str) -> None:
    thing = np.array(Running(tmp_path / "ran"), dtype=object)
    with cache.path.open("wb") as file:
        if form == "pickle":
            pickle.dump(Running(tmp_path / "ran"), file)
        elif form == "npy":
            np.save(file, thing)
        else:
            np.savez(file, subject=np.array("numbers"), a=thing)
    assert cache.ask(2) == 2
    assert not (tmp_path / "ran").exists()
    assert len(cache.said) == 1


@pytest.mark.parametrize(
    "damage", ["empty", "cut", "changed", "text", "folder", "pipe", "compressed", "shape", "names"]
)
def test_a_file_that_cannot_be_used_is_made_anew_and_that_is_said(cache: Cache, damage: str) -> None:
    whole = cache.path.read_bytes()
    cache.path.unlink()
    if damage == "folder":
        cache.path.mkdir()
    elif damage == "pipe":
        os.mkfifo(cache.path)
    elif damage == "compressed":
        np.savez_compressed(cache.path, subject=np.array("numbers"), a=np.ones(100))
    elif damage == "shape":
        np.savez(cache.path, subject=np.array("numbers"), a=np.ones(99))
    elif damage == "names":
        np.savez(cache.path, subject=np.array("numbers"), b=np.ones(100))
    else:
        one = np.ones(1).tobytes()
        cache.path.write_bytes(
            {"empty": b"", "cut": whole[:-40], "changed": whole.replace(one, bytes(8), 1), "text": b"numbers"}[damage]
        )
    assert cache.ask(2) == 2
    assert len(cache.said) == 1
    assert str(cache.path) in cache.said[0]
    assert "made anew" in cache.said[0]
    assert cache.ask(3) == 2
    assert len(cache.said) == 1


def test_a_file_of_something_else_is_not_used(cache: Cache) -> None:
    assert cache.ask(2, "other numbers") == 2
    assert "is of something else" in cache.said[0]


def test_a_cache_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StoreError, match="the cache cannot be written to: .*cache': .*LIPBENCH_CACHE"):
        Cache(tmp_path).ask(1)
