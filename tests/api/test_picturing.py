"""`lipbench picture`: one critic over the plane, as files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

import lipbench
from lipbench.cli import main
from lipbench.disk import drawn
from lipbench.errors import LipbenchError
from tests.conftest import MakeRun


def pictured(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["picture", *words])
    return done.exit_code, done.output


def test_the_score_of_a_run_is_drawn_as_files_with_the_numbers_along_its_line(
    make_run: MakeRun, tmp_path: Path
) -> None:
    run = make_run("gn", protocol="modes", datasets="ring", finished=True)
    made = lipbench.picture(run.path, results=tmp_path / "results")
    assert made == tmp_path / "results" / "pictures" / f"score-{run.id}.png"
    assert {path.suffix for path in made.parent.iterdir()} == {".png", ".svg", ".pdf", ".csv"}
    with Image.open(made) as picture:
        assert picture.width == 2025
    kept = drawn.read(run)
    assert kept is not None
    # The same critic, whose box real points of another draw have moved a little.
    mine = pd.read_csv(made.with_suffix(".csv"))
    there = np.interp(mine["x"], kept["along"], kept["on_line"])
    assert np.median(np.abs(mine["score"] - there)) < 0.02 * np.ptp(kept["on_line"])


def test_the_raw_critic_of_a_pair_is_drawn_where_it_is_asked_for(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("gp", protocol="w1", datasets="gauss-shift", finished=True)
    code, said = pictured(str(run.path), "--raw", "--out", str(tmp_path / "mine"))
    assert (code, said.split()) == (0, [str(tmp_path / "mine" / f"critic-{run.id}.png")])


@pytest.mark.parametrize(
    ("protocol", "datasets", "what"),
    [("digits", None, "pictures of 1×8×8"), ("w1", "gauss-shift[dim=3]", "points of 3 numbers")],
)
def test_a_run_on_anything_but_the_plane_is_refused(
    make_run: MakeRun, protocol: str, datasets: str | None, what: str
) -> None:
    run = make_run("wc", protocol=protocol, datasets=datasets, finished=True)
    code, said = pictured(str(run.path))
    assert code == 2
    assert f"has {what}, and a picture shows the plane; expected a run on points of two numbers" in said


def test_a_run_without_a_checkpoint_or_that_is_not_there_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("gn", protocol="modes", datasets="ring")
    with pytest.raises(LipbenchError, match="has no checkpoint yet; run it first"):
        lipbench.picture(run.path)
    code, said = pictured("nothing", "--results", str(tmp_path / "results"))
    assert (code, "there is no run 'nothing'" in said) == (2, True)


def test_files_have_no_place_among_runs(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("gn", protocol="modes", datasets="ring", finished=True)
    with pytest.raises(LipbenchError, match="is where runs are kept"):
        lipbench.picture(run.path, out=run.path, results=tmp_path / "results")
