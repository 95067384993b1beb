"""Whatever may become of a file of a run: it is named, the others stand, and no number is wrong."""

import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

from lipbench.cli import main
from lipbench.disk.store import RunFolder
from lipbench.errors import RequestError
from lipbench.reports.reading import frame
from lipbench.request.plan import plan
from tests.conftest import TINY

STATES = {"error.json": "failed", "basis.json": "interrupted", "lock": "interrupted"}
FILES = ["cell.json", "result.json", "error.json", "environment.json", "trace.jsonl", "samples.png", "checkpoint.pt",
         "basis.json", "lock", "log.txt"]  # fmt: skip
UNREAD = {"checkpoint.pt", "log.txt", "lock", "samples.png"}  # or not all of them: a grid is shown of one seed
HUGE = 2**33


def _a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _a_socket(path: Path) -> None:
    path.unlink()
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket has 107 letters at most
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)
    os.chdir(here)


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _a_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _gigabytes(path: Path) -> None:
    os.truncate(path, HUGE)


def _wrong_types(path: Path) -> None:
    """Every value in place of another kind."""
    text = path.read_bytes().decode(errors="replace")
    path.write_text(re.sub(r'": ("[^"]*"|[-\d.e]+|null)', '": [1e400, {}]', text))


def _huge_numbers(path: Path) -> None:
    text = path.read_bytes().decode(errors="replace")
    path.write_text(re.sub(r"(?<=: )[-\d.e]+|(?<=: )\"[^\"]*\"", "1e400", text))


def _of_another(path: Path) -> None:
    """The file of the run that is whole."""
    shutil.copy(next(path.parent.parent.glob("gp-*")) / path.name, path)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "garbage": lambda path: path.write_bytes(b"\xff\x00\x1b[31m{]" * 9),
    "a list": lambda path: path.write_text("[1, 2]"),
    "deep": lambda path: path.write_text("[" * 100_000),
    "long number": lambda path: path.write_text('{"step": ' + "9" * 5000 + "}"),
    "wrong types": _wrong_types,
    "huge numbers": _huge_numbers,
    "of another run": _of_another,
    "a folder": _a_folder,
    "a pipe": _a_pipe,
    "a socket": _a_socket,
    "a dangling link": _a_link,
    "a loop of links": _a_loop,
    "gigabytes": _gigabytes,
}
CASES = [(file, damage) for file in FILES for damage in DAMAGES]


def make(folder: RunFolder, cell_json: str, state: str, fid: float) -> RunFolder:
    """A run as it lies on the disk."""
    folder.create(cell_json, {})
    basis = {"pictures": "a" * 64, "extractor": "digits-cnn"}
    folder.write_json("environment.json", {"device": "cpu", "argv": ["lipbench", "run"], "versions": {"torch": "2"}})
    folder.write_json("basis.json", basis)
    folder.evaluations.append({"step": 3, "fid": 9.0})
    folder.file("lock").touch()
    folder.file("log.txt").write_text("a line\n")
    folder.file("checkpoint.pt").write_bytes(b"weights")
    if state == "failed":
        folder.record_failure("error", "no luck")
    if state == "done":
        folder.evaluations.append({"step": 6, "fid": fid})
        picture = BytesIO()
        Image.new("L", (8, 8)).save(picture, "PNG")
        folder.file("samples.png").write_bytes(picture.getvalue())
        result = {"status": "done", "step": 6, "fid": fid, "trace": folder.evaluations.signature()}
        folder.write_json("result.json", result | basis)
    return folder


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[tuple[str, str], RunFolder]]]:
    """A run that is whole, and one for each damage."""
    results = tmp_path_factory.mktemp("damaged") / "results"
    (whole,) = plan("gp", None, [0], "digits", TINY)
    sound = RunFolder(results / "runs" / whole.cell.run_id)
    make(sound, whole.cell.to_json(), "failed", 0.0)
    make(sound, whole.cell.to_json(), "done", 5.0)
    sound.file("error.json").write_text('{"run_id": "gp", "kind": "error", "message": "m", "attempt": 1}')
    made = {}
    for case, planned in zip(CASES, plan("gn", None, range(len(CASES)), "digits", TINY), strict=True):
        folder = RunFolder(results / "runs" / planned.cell.run_id)
        made[case] = make(folder, planned.cell.to_json(), STATES.get(case[0], "done"), 100.0 + planned.cell.seed)
        path = folder.file(case[0])
        DAMAGES[case[1]](path)
    yield results, made
    shutil.rmtree(results)


def named(text: str, folder: RunFolder, file: str) -> bool:
    """Whether a line speaks of a file of a run."""
    return any(folder.id in line and file in line for line in text.splitlines())


def silent(file: str, damage: str) -> bool:
    """Whether nothing need be said: the file is not read, may be missing, or its content is not looked at."""
    absent = damage in ("missing", "a dangling link", "a loop of links") and file not in ("cell.json", "trace.jsonl")
    return file in UNREAD or absent


def test_status_tells_how_every_other_run_stands(damaged: tuple[Path, dict[tuple[str, str], RunFolder]]) -> None:
    results, made = damaged
    done = CliRunner().invoke(main, ["status", "--results", str(results)])
    assert done.exit_code == 0, done.output
    assert re.search(r"^gp +digits +digits +1 *$", done.output, re.MULTILINE)
    assert "\x1b" not in done.output
    unnamed = {
        case
        for case, folder in made.items()
        if case[0] in ("cell.json", "result.json", "error.json") and not named(done.output, folder, case[0])
    }
    assert {case for case in unnamed if not silent(*case)} == set()


def test_show_shows_what_can_be_read_and_names_the_rest(damaged: tuple[Path, dict[tuple[str, str], RunFolder]]) -> None:
    results, made = damaged
    for case, folder in made.items():
        done = CliRunner().invoke(main, ["show", str(folder.id), "--results", str(results)])
        assert done.exit_code == 0, (case, done.output, done.exception)
        assert "\x1b" not in done.output, case
        shown = case[0] in ("cell.json", "result.json", "error.json", "environment.json", "trace.jsonl")
        assert not shown or silent(*case) or named(done.output, folder, case[0]), (case, done.output)


@pytest.mark.usefixtures("no_pictures")
def test_a_report_holds_no_wrong_number(damaged: tuple[Path, dict[tuple[str, str], RunFolder]], tmp_path: Path) -> None:
    results, made = damaged
    done = CliRunner().invoke(main, ["report", "--results", str(results), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, (done.output, done.exception)
    runs = pd.read_csv(tmp_path / "out" / "runs.csv").set_index("run_id")
    assert runs.loc[next(run for run in runs.index if run.startswith("gp")), "fid"] == 5.0
    measured = runs["fid"].dropna().drop(next(run for run in runs.index if run.startswith("gp")))
    assert (measured == 100.0 + runs.loc[measured.index, "seed"]).all()
    unsaid = {case for case, folder in made.items() if not silent(*case) and not named(done.output, folder, case[0])}
    assert unsaid == set()
    assert (tmp_path / "out" / "index.html").exists()


@pytest.mark.parametrize("damage", [damage for damage in DAMAGES if damage not in ("missing", "of another run")])
def test_yardsticks_and_tables_that_are_damaged_are_named(damage: str, tmp_path: Path) -> None:
    (planned,) = plan("gp", None, [0], "digits", TINY)
    make(RunFolder(tmp_path / "runs" / planned.cell.run_id), planned.cell.to_json(), "done", 5.0)
    path = tmp_path / "yardsticks" / f"{planned.cell.comparison_id}.json"
    path.parent.mkdir()
    numbers = {"fid": 4.5, "samples": 64, "inception_score": None}
    path.write_text(json.dumps({"real": numbers, "noise": numbers, "pictures": "a" * 64}))
    table = tmp_path / "runs.csv"
    table.write_text("method,dataset,seed,protocol,fid\na,b,0,c: 1,1.5\n")
    frames = frame.read(tmp_path)
    assert list(frames.runs["fid_noise"]) == [4.5]
    DAMAGES[damage](path)
    frames = frame.read(tmp_path)
    assert list(frames.runs["fid"]) == [5.0]
    assert frames.runs["fid_noise"].isna().all()
    assert damage == "a dangling link" or any(path.name in problem for problem in frames.problems)
    DAMAGES[damage](table)
    if damage not in ("huge numbers", "wrong types"):  # of JSON
        with pytest.raises(RequestError, match=r"runs\.csv"):
            frame.read(tmp_path, [table])
