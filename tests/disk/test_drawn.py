"""What figures show of a run on points, on the disk."""

import os
import pickle
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lipbench.disk import drawn
from lipbench.disk.store import RunFolder
from lipbench.errors import StoreError


def run_folder(path: Path, name: str = "gn-ring-s0-0123456789") -> RunFolder:
    made = RunFolder(path / name)
    made.path.mkdir(parents=True)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return run_folder(tmp_path)


def arrays(level: float) -> drawn.Arrays:
    return {"samples": np.full((3, 2), level, dtype=np.float32), "score": np.full((2, 2), level)}


def test_where_nothing_was_kept_there_is_nothing(folder: RunFolder) -> None:
    assert drawn.read(folder) is None


def test_samples_of_all_evaluations_stand_one_above_the_other_and_all_else_is_of_the_last(folder: RunFolder) -> None:
    for step in (5, 10, 15):
        drawn.add(folder, step, arrays(step))
    found = drawn.read(folder)
    assert found is not None
    assert found.keys() == {"steps", "samples", "score"}
    assert found["steps"].tolist() == [5, 10, 15]
    assert found["samples"].shape == (3, 3, 2)
    assert found["samples"].dtype == np.float32
    assert found["samples"][:, 0, 0].tolist() == [5, 10, 15]
    assert (found["score"] == 15).all()


def test_without_samples_only_the_last_is_kept(folder: RunFolder) -> None:
    for step in (5, 10):
        drawn.add(folder, step, {"field_to": np.full((2, 2), float(step))})
    found = drawn.read(folder)
    assert found is not None
    assert (found["steps"].tolist(), found["field_to"][0, 0]) == ([10], 10)


@pytest.mark.parametrize("step", [10, 12])
def test_what_came_after_a_step_is_forgotten_when_a_run_that_went_back_comes_to_it_again(
    folder: RunFolder, step: int
) -> None:
    for each in (5, 10, 15, 20):
        drawn.add(folder, each, arrays(each))
    drawn.add(folder, step, arrays(0.5))
    found = drawn.read(folder)
    assert found is not None
    kept = [each for each in (5, 10) if each < step]
    assert found["steps"].tolist() == [*kept, step]
    assert found["samples"][:, 0, 0].tolist() == [*kept, 0.5]


def test_a_file_of_another_run_is_refused_and_written_anew(folder: RunFolder, tmp_path: Path) -> None:
    other = run_folder(tmp_path, "gp-ring-s0-9876543210")
    drawn.add(other, 5, arrays(1))
    folder.file(drawn.NAME).write_bytes(other.file(drawn.NAME).read_bytes())
    with pytest.raises(StoreError, match=r"drawn.npz' is damaged \(of run gp-ring-s0-9876543210\); remove it and run"):
        drawn.read(folder)
    drawn.add(folder, 10, arrays(2))
    found = drawn.read(folder)
    assert found is not None
    assert found["steps"].tolist() == [10]


class Running:
    """What a pickle makes of it would make a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def archive(**members: object) -> bytes:
    file = BytesIO()
    np.savez(file, **members)  # type: ignore[arg-type]  # objects among them, on purpose
    return file.getvalue()


def array(value: object) -> bytes:
    file = BytesIO()
    np.save(file, np.array(value))
    return file.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole, bomb: b"",
        lambda whole, bomb: whole[: len(whole) // 2],
        lambda whole, bomb: whole[:-1],
        lambda whole, bomb: b"no numbers",
        lambda whole, bomb: array(1.5),
        lambda whole, bomb: archive(samples=np.zeros((1, 3, 2))),
        lambda whole, bomb: pickle.dumps(bomb),
        lambda whole, bomb: array(bomb),
        lambda whole, bomb: archive(run=np.array("gn-ring-s0-0123456789"), samples=np.array(bomb, dtype=object)),
    ],
    ids=["empty", "half", "short", "text", "array", "nameless", "pickle", "pickle in array", "pickle in archive"],
)
def test_a_damaged_file_is_named_with_its_cure_and_runs_nothing(
    folder: RunFolder, tmp_path: Path, damage: Callable[[bytes, Running], bytes]
) -> None:
    drawn.add(folder, 5, arrays(1))
    path = folder.file(drawn.NAME)
    path.write_bytes(damage(path.read_bytes(), Running(tmp_path / "ran")))
    with pytest.raises(StoreError, match=r"drawn.npz' is damaged \(.+\); remove it and run again"):
        drawn.read(folder)
    assert not (tmp_path / "ran").exists()


@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(1, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_a_changed_byte_changes_no_number_or_is_said(tmp_path: Path, place: float, byte: int) -> None:
    folder = RunFolder(tmp_path / "gn-ring-s0-0123456789")
    folder.path.mkdir(exist_ok=True)
    drawn.add(folder, 5, {"samples": np.arange(40, dtype=np.float32).reshape(20, 2)})
    path = folder.file(drawn.NAME)
    spoilt = bytearray(path.read_bytes())
    spoilt[int(place * len(spoilt))] ^= byte
    path.write_bytes(spoilt)
    try:
        found = drawn.read(folder)
    except StoreError as error:
        assert "remove it and run again" in str(error)
        return
    assert found is not None
    if "samples" in found:
        np.testing.assert_array_equal(found["samples"][0].ravel(), np.arange(40))


def test_a_folder_in_its_place_is_named(folder: RunFolder) -> None:
    folder.file(drawn.NAME).mkdir()
    with pytest.raises(StoreError, match="is a folder; expected a file"):
        drawn.read(folder)
