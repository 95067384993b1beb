"""`lipbench new`: a method that runs as it stands, and nothing that is there is lost."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from lipbench.cli import main
from lipbench.disk.store import Status
from lipbench.plugins import card, starter
from lipbench.plugins.kinds import METHOD
from tests.conftest import MakeRun


def test_what_it_writes_runs_at_once_and_describes_itself(make_run: MakeRun, tmp_path: Path) -> None:
    path = starter.write(tmp_path / "steeper_2.py")
    described = card.read(path, METHOD)
    assert (described.class_name, described.hooks) == ("Steeper2", {"penalty_points", "penalty"})
    assert {"formula", "paper"} <= described.fields.keys()
    penalty = path.read_text().partition("def penalty_points")[2]
    assert len(penalty.splitlines()) < 10
    assert make_run(str(path), finished=True).status() is Status.DONE


def test_it_says_what_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["new", "my_method.py"])
    assert result.exit_code == 0
    assert "lipbench check ./my_method.py" in result.output
    assert "lipbench run --methods ./my_method.py" in result.output


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("there.py", "is there already, and stays as it is"),
        ("gp.py", "the name of an installed method"),
        ("torch.py", "the name of a module that methods import"),
        ("2nd.py", "'2nd' is no name of a method; expected letters"),
        ("my-method.py", "is no name of a method"),
        ("class.py", "is no name of a method"),
        ("_mine.py", "is no name of a method"),
        ("nowhere/mine.py", "there is no folder 'nowhere'; make it first"),
        ("mine.txt", "expected a name that ends in .py"),
        ("mine", "expected a name that ends in .py"),
    ],
)
def test_a_name_that_will_not_do_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.py").write_text("mine")
    result = CliRunner().invoke(main, ["new", name])
    assert (result.exit_code, expected in result.stderr) == (2, True), result.stderr
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"there.py": "mine"}
