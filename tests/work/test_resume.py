"""Going on from a checkpoint: whatever happened, a run ends bit-equal to one that was never interrupted."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from lipbench.disk import drawn, files, store, trace
from lipbench.disk.store import RunFolder, Status
from lipbench.disk.trace import Trace
from lipbench.launch import FAILED, FINISHED
from lipbench.measuring import dirac
from lipbench.work import checkpoint
from tests.conftest import MakeRun
from tests.work.cells import error, result
from tests.work.test_run import TIMES, go


@pytest.fixture(autouse=True)
def _few_places_in_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dirac, "SIDE", 3)


def outcome(folder: RunFolder) -> dict[str, Any]:
    """Everything that must be equal in two runs of one cell: all of it but the time that it took."""
    state = checkpoint.load(folder)
    assert state is not None
    samples = folder.file("samples.png")
    return {
        "result": {key: value for key, value in result(folder).items() if key not in (*TIMES, "trace")},
        "trace": [{key: value for key, value in line.items() if key not in TIMES} for line in folder.trace()[0]],
        # Without the state of Python's own random numbers: what checks types in tests draws from it.
        "trainer": {key: value for key, value in state["trainer"].items() if key != "global_random_python"},
        "samples": samples.read_bytes() if samples.exists() else None,
        "drawn": {name: each.tolist() for name, each in (drawn.read(folder) or {}).items()},
    }


def assert_equal(first: RunFolder, second: RunFolder) -> None:
    one, two = outcome(first), outcome(second)
    torch.testing.assert_close(one.pop("trainer"), two.pop("trainer"), rtol=0, atol=0)
    assert one == two


class Killed(BaseException):
    """Stands in for the death of the process: nothing catches it."""


@contextmanager
def dying_at_write(number: int) -> Iterator[None]:
    """Die before the write to the disk of this number, from 0; in the middle of it where it is a line of the trace."""
    write, append = files.write_atomically, Trace.append
    writes = count()

    def whole(path: Path, content: str | bytes, check: Callable[[], None]) -> None:
        if next(writes) >= number:
            raise Killed
        write(path, content, check)

    def line(evaluations: Trace, record: dict[str, Any]) -> None:
        if next(writes) >= number:
            with evaluations.path.open("a") as file:
                file.write(json.dumps(record)[:40])
            raise Killed
        append(evaluations, record)

    with pytest.MonkeyPatch.context() as patch:
        for module in (store, trace):
            patch.setattr(module, "write_atomically", whole)
        patch.setattr(Trace, "append", line)
        yield


@pytest.mark.parametrize(
    ("methods", "protocol", "writes"),
    # environment, basis; picture or points where there are any, line and checkpoint twice; result
    [
        ("sn+gp", "digits", 9),
        ("gn", "digits", 9),
        *(
            pytest.param(*each, marks=pytest.mark.slow)
            for each in (("sn+gp", "w1", 8), ("gn", "w1", 8), ("gn", "modes", 9), ("gn", "dirac", 8))
        ),
    ],
)
def test_a_run_that_dies_at_any_write_and_goes_on_ends_bit_equal_to_one_that_did_not(
    make_run: MakeRun, methods: str, protocol: str, writes: int
) -> None:
    straight = make_run(methods, protocol=protocol, finished=True, results="straight")
    for number in count():
        folder = make_run(methods, protocol=protocol, results=f"dying-{number}")
        try:
            with dying_at_write(number):
                go(folder)
            break
        except Killed:
            assert folder.status() is Status.INTERRUPTED
            assert go(folder) == FINISHED
            assert_equal(folder, straight)
    assert number == writes


@pytest.mark.parametrize(
    ("protocol", "write"),
    # before the line of the first evaluation, whose samples are there; between two evaluations
    [("modes", 3), ("dirac", 4)],
)
def test_a_run_on_points_that_dies_and_goes_on_ends_bit_equal_to_one_that_did_not(
    make_run: MakeRun, protocol: str, write: int
) -> None:
    straight = make_run("gn", protocol=protocol, finished=True, results="straight")
    folder = make_run("gn", protocol=protocol, results="dying")
    with pytest.raises(Killed), dying_at_write(write):
        go(folder)
    assert go(folder) == FINISHED
    assert_equal(folder, straight)
    assert outcome(folder)["drawn"].keys() >= {"modes": {"samples", "score"}, "dirac": {"field_to"}}[protocol]


@pytest.mark.slow
def test_a_process_killed_by_sigkill_again_and_again_ends_bit_equal_to_one_that_was_not(make_run: MakeRun) -> None:
    long = {"train__steps": 400, "evaluate__every": 40}
    straight = make_run("gn", finished=True, results="straight", **long)
    folder = make_run("gn", results="killed", **long)
    kills = 0
    for seconds in (0.02, 0.7, 0.33, 0.11, 600.0):
        command = [sys.executable, "-P", "-m", "lipbench.work.run", str(folder.path), "--device", "cpu"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("step")  # under way, or gone on
            deadline = time.monotonic() + seconds
            while process.poll() is None and time.monotonic() < deadline:
                process.stdout.readline()
            if process.poll() is None:
                process.kill()
                kills += 1
    assert kills >= 3
    assert folder.status() is Status.DONE
    assert_equal(folder, straight)


def test_seconds_add_up_over_resumes(make_run: MakeRun) -> None:
    folder = make_run("gn")
    with pytest.raises(Killed), dying_at_write(5):  # after the first checkpoint
        go(folder)
    first = checkpoint.load(folder)
    go(folder)
    assert first is not None
    assert first["trainer"]["step"] == 3
    assert result(folder)["seconds_train"] > first["meter"]["seconds_train"] > 0


def test_a_truncated_checkpoint_is_a_failure_with_a_cure_and_stays_where_it_is(make_run: MakeRun) -> None:
    folder = make_run("gn", finished=True)
    folder.file("result.json").unlink()
    path = folder.file("checkpoint.pt")
    path.write_bytes(path.read_bytes()[:5000])
    assert go(folder) == FAILED
    message = error(folder)["message"]
    assert "checkpoint.pt' is damaged" in message
    assert "--retry-failed" in message
    assert path.stat().st_size == 5000


def test_a_trace_that_lost_an_evaluation_is_a_failure_with_a_cure(make_run: MakeRun) -> None:
    folder = make_run("gn", finished=True)
    folder.file("result.json").unlink()
    path = folder.file("trace.jsonl")
    path.write_text(lost := path.read_text()[-100:])
    assert go(folder) == FAILED
    assert "does not begin with the 2 evaluations that the checkpoint knows" in error(folder)["message"]
    assert path.read_text() == lost


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"device": "cuda"}, "was made on cuda, and this is cpu, which draws other random numbers; expected --device"),
        ({"basis": {"pictures": "12345678"}}, "was made from {'pictures': '12345678'}, and what is there now is"),
        ({"basis": None}, "it lacks 'basis', as those of earlier versions do"),
    ],
)
def test_a_checkpoint_from_elsewhere_is_refused(make_run: MakeRun, change: dict[str, Any], message: str) -> None:
    folder = make_run("wc")
    with pytest.raises(Killed), dying_at_write(5):
        go(folder)
    state = checkpoint.load(folder)
    assert state is not None
    changed = {key: value for key, value in (state | change).items() if value is not None}
    checkpoint.save(folder, changed)
    assert go(folder) == FAILED
    assert message in error(folder)["message"]
    assert "--retry-failed" in error(folder)["message"]
