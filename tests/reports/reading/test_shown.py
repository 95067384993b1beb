"""What runs kept to be shown is read, and what is damaged is named."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lipbench.disk import drawn
from lipbench.disk.store import RunFolder
from lipbench.reports.reading.shown import Shown, of_one_seed, read

ARRAYS = {"real": np.zeros((2, 2)), "samples": np.zeros((2, 2))}


def kept(path: Path, name: str, **arrays: np.ndarray) -> RunFolder:
    folder = RunFolder(path / name)
    folder.path.mkdir()
    drawn.add(folder, 10, ARRAYS | arrays)
    return folder


def table(*runs: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(runs, columns=["run_id", "method", "seed"])


def test_runs_are_read_in_the_order_of_methods_and_seeds_and_those_without_are_left_out(tmp_path: Path) -> None:
    folders = {name: kept(tmp_path, name) for name in ("b", "a")}
    folders["empty"] = RunFolder(tmp_path / "empty")
    found, problems = read(folders, table(("b", "wc", 1), ("a", "gn", 0), ("empty", "gp", 0), ("elsewhere", "gp", 0)))
    assert ([(each.run_id, each.method, each.seed) for each in found], problems) == (
        [("a", "gn", 0), ("b", "wc", 1)], []
    )  # fmt: skip
    assert found[0].fake.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"box": np.array(["a", "b", "c", "d"])},  # no numbers
        {"real": np.zeros((0, 2))},
        {"fake": np.zeros((2, 3))},
        {"field_to": np.zeros((2, 2)), "field_from": np.zeros(2)},
    ],
)
def test_an_array_of_another_shape_or_type_is_named_and_the_run_left_out(
    tmp_path: Path, wrong: dict[str, np.ndarray]
) -> None:
    folder = kept(tmp_path, "a", **wrong)
    found, (problem,) = read({"a": folder}, table(("a", "gn", 0)))
    assert found == []
    assert "is damaged (" in problem
    assert list(wrong)[-1] in problem
    assert problem.endswith("its pictures are left out")


@pytest.mark.parametrize("lost", ["box", "score", "on_line", "height"])
def test_a_plane_that_lacks_a_part_is_named(tmp_path: Path, lost: str) -> None:
    whole = {"box": np.zeros(4), "score": np.zeros((3, 3)), "along": np.zeros(3), "height": np.array(0.0),
             "on_line": np.zeros(3)}  # fmt: skip
    folder = kept(tmp_path, "a", **{name: array for name, array in whole.items() if name != lost})
    assert f"is damaged ({lost})" in read({"a": folder}, table(("a", "gn", 0)))[1][0]
    assert read({"b": kept(tmp_path, "b", **whole)}, table(("b", "gn", 0)))[1] == []


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    folder = kept(tmp_path, "a")
    folder.file(drawn.NAME).write_bytes(b"nothing")
    found, (problem,) = read({"a": folder}, table(("a", "gn", 0)))
    assert found == []
    assert "drawn.npz" in problem


def test_of_several_seeds_the_lowest_is_shown_that_most_methods_have() -> None:
    shown = [Shown(f"{method}{seed}", method, seed, {}) for method, seed in (("b", 0), ("a", 1), ("b", 1), ("a", 2))]
    assert [(each.method, each.seed) for each in of_one_seed(shown)] == [("a", 1), ("b", 1)]
    assert of_one_seed([]) == []
