"""The work on one cell: results, resuming, divergence and failures."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from lipbench import store
from lipbench.runner import BUSY, FAILED, FINISHED, checkpoint
from lipbench.runner import work as working
from lipbench.runner.work import work
from lipbench.store import RunFolder, Status
from tests.conftest import MakeRun

TIMES = ("seconds_train", "seconds_per_step", "seconds_evaluate", "peak_memory_bytes")

NAN = '''"""Turns NaN."""
from lipbench import Method
class Mine(Method):
    after: int = 2
    def regulariser(self, critic, real, fake, rng):
        critic.calls = getattr(critic, "calls", 0) + 1
        return real.mean() * (float("nan") if critic.calls > self.after else 0)
'''


def go(folder: RunFolder) -> int:
    return work(folder, "cpu", lambda step: None, ["lipbench", "run"])


def outcome(folder: RunFolder) -> dict[str, Any]:
    """Everything that must be equal in two runs of one cell: all of it but the time that it took."""
    result = folder.read_json("result.json")
    assert result is not None
    trace = folder.trace()[0]
    state = checkpoint.load(folder)
    assert state is not None
    return {
        "result": {key: value for key, value in result.items() if key not in TIMES},
        "trace": [{key: value for key, value in line.items() if key not in TIMES} for line in trace],
        "trainer": state["trainer"],
        "samples": folder.file("samples.png").read_bytes(),
    }


def assert_equal(first: RunFolder, second: RunFolder) -> None:
    one, two = outcome(first), outcome(second)
    torch.testing.assert_close(one.pop("trainer"), two.pop("trainer"), rtol=0, atol=0)
    assert one == two


def test_a_finished_run_has_everything_that_the_table_needs(make_run: MakeRun) -> None:
    folder = make_run("gn", finished=True)
    assert folder.status() is Status.DONE
    result = folder.read_json("result.json")
    assert result is not None
    assert result["step"] == 6
    assert result["extractor"].startswith("digits-cnn@")
    for name in ("fid", "kid", "inception_score", "grad_norm_max", "raw_grad_norm_mean", *TIMES):
        assert isinstance(result[name], int | float), name
    assert [line["step"] for line in folder.trace()[0]] == [3, 6]
    assert result["fid_best"] == min(line["fid"] for line in folder.trace()[0])
    environment = folder.read_json("environment.json")
    assert environment is not None
    assert environment["argv"] == ["lipbench", "run"]
    assert environment["threads"] == 1


def test_the_last_steps_are_measured_even_if_no_evaluation_falls_on_them(make_run: MakeRun) -> None:
    folder = make_run("gn", finished=True, train__steps=5)
    assert [line["step"] for line in folder.trace()[0]] == [3, 5]


def test_a_finished_run_is_not_touched_again(make_run: MakeRun) -> None:
    folder = make_run("gn", finished=True)
    before = {path.name: path.stat().st_mtime_ns for path in folder.path.iterdir()}
    assert go(folder) == FINISHED
    assert {path.name: path.stat().st_mtime_ns for path in folder.path.iterdir()} == before


def test_a_folder_that_another_process_holds_is_left_alone(make_run: MakeRun) -> None:
    folder = make_run("gn")
    with folder.lock():
        assert go(folder) == BUSY
    assert not folder.file("environment.json").exists()


class Killed(BaseException):
    """Stands in for the death of the process: nothing catches it."""


@contextmanager
def dying_at_write(number: int) -> Iterator[None]:
    """Die before the write to the disk of this number, from 0; in the middle of it where it is a line of the trace."""
    write, append = store.write_atomically, RunFolder.append_trace
    writes = count()

    def whole(path: Path, content: str | bytes) -> None:
        if next(writes) >= number:
            raise Killed
        write(path, content)

    def line(folder: RunFolder, record: dict[str, Any]) -> None:
        if next(writes) >= number:
            with folder.file("trace.jsonl").open("a") as file:
                file.write(json.dumps(record)[:40])
            raise Killed
        append(folder, record)

    with pytest.MonkeyPatch.context() as patch:
        for module in (store, working, checkpoint):
            patch.setattr(module, "write_atomically", whole)
        patch.setattr(RunFolder, "append_trace", line)
        yield


@pytest.mark.parametrize("methods", ["sn+gp", "gn"])
def test_a_run_that_dies_at_any_write_and_goes_on_ends_bit_equal_to_one_that_did_not(
    make_run: MakeRun, methods: str
) -> None:
    straight = make_run(methods, finished=True, results="straight")
    for number in count():
        folder = make_run(methods, results=f"dying-{number}")
        try:
            with dying_at_write(number):
                go(folder)
            break
        except Killed:
            assert folder.status() is Status.INTERRUPTED
            assert go(folder) == FINISHED
            assert_equal(folder, straight)
    # environment, trace; picture, line and checkpoint twice; result
    assert number == 9


@pytest.mark.slow
def test_a_process_killed_by_sigkill_again_and_again_ends_bit_equal_to_one_that_was_not(make_run: MakeRun) -> None:
    long = {"train__steps": 400, "evaluate__every": 40}
    straight = make_run("gn", finished=True, results="straight", **long)
    folder = make_run("gn", results="killed", **long)
    kills = 0
    for seconds in (0.02, 0.7, 0.33, 0.11, 600.0):
        command = [sys.executable, "-P", "-m", "lipbench.runner.work", str(folder.path), "--device", "cpu"]
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
    result = folder.read_json("result.json")
    assert first is not None
    assert result is not None
    assert first["trainer"]["step"] == 3
    assert result["seconds_train"] > first["meter"]["seconds_train"] > 0


@pytest.fixture
def nan_method(tmp_path: Path) -> str:
    path = tmp_path / "mine.py"
    path.write_text(NAN)
    return str(path)


def test_a_nan_is_a_result_recorded_at_its_step(make_run: MakeRun, nan_method: str) -> None:
    folder = make_run(f"{nan_method}[after=4]", finished=True)
    result, error = folder.read_json("result.json"), folder.read_json("error.json")
    assert result is not None
    assert error is not None
    assert (result["status"], result["diverged_at"]) == ("diverged", 5)
    assert "fid" not in result
    assert result["best_step"] == 3
    assert (error["kind"], error["message"]) == ("diverged", "critic loss is not finite at step 5")


def test_weights_that_turn_nan_in_the_very_last_step_count_as_divergence(make_run: MakeRun, tmp_path: Path) -> None:
    path = tmp_path / "nets.py"
    path.write_text(
        "import torch\nfrom lipbench.nets.cnn8 import make as small\n"
        "def make(shape, latents):\n"
        "    generator, critic = small(shape, latents)\n"
        "    calls = []\n"
        "    def spoil(grad):\n"
        "        calls.append(1)\n"
        "        return grad * float('nan') if len(calls) == 3 else grad\n"
        "    generator[0].weight.register_hook(spoil)\n"
        "    return generator, critic\n"
    )
    folder = make_run("wc", finished=True, architecture=f"{path}:make", train__steps=3)
    result = folder.read_json("result.json")
    assert result is not None
    assert (result["status"], result["diverged_at"], result["fid_best"]) == ("diverged", 3, None)


def test_an_exception_is_recorded_with_its_traceback_and_tried_again(make_run: MakeRun, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(NAN.replace("critic.calls =", "raise OSError('the disk is gone')\n        critic.calls ="))
    folder = make_run(str(path))
    assert go(folder) == FAILED
    assert go(folder) == FAILED
    error = folder.read_json("error.json")
    assert error is not None
    assert (error["kind"], error["message"], error["attempt"]) == ("error", "OSError: the disk is gone", 2)
    assert "in regulariser" in error["traceback"]
    assert folder.status() is Status.FAILED


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "out of memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), "out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out of memory"),
        (RuntimeError("shapes differ"), "error"),
    ],
)
def test_running_out_of_memory_is_told_from_other_errors(error: Exception, kind: str) -> None:
    assert working.kind_of(error) == kind


def test_a_truncated_checkpoint_is_a_failure_with_a_cure_and_stays_where_it_is(make_run: MakeRun) -> None:
    folder = make_run("gn", finished=True)
    folder.file("result.json").unlink()
    path = folder.file("checkpoint.pt")
    path.write_bytes(path.read_bytes()[:5000])
    assert go(folder) == FAILED
    error = folder.read_json("error.json")
    assert error is not None
    assert "checkpoint.pt' is damaged" in error["message"]
    assert "--retry-failed" in error["message"]
    assert path.stat().st_size == 5000


def test_a_trace_that_lost_an_evaluation_is_a_failure_with_a_cure(make_run: MakeRun) -> None:
    folder = make_run("gn", finished=True)
    folder.file("result.json").unlink()
    path = folder.file("trace.jsonl")
    path.write_text(path.read_text()[-100:])
    assert go(folder) == FAILED
    error = folder.read_json("error.json")
    assert error is not None
    assert "holds 0 evaluations up to step 6; expected 2" in error["message"]


def test_the_users_own_method_is_run_from_the_copy_in_the_folder(make_run: MakeRun, nan_method: str) -> None:
    folder = make_run(f"{nan_method}[after=100]")
    Path(nan_method).unlink()
    assert go(folder) == FINISHED
    assert folder.status() is Status.DONE


def test_a_critic_with_batch_normalisation_is_refused_under_gradient_norms_alone(
    make_run: MakeRun, tmp_path: Path
) -> None:
    path = tmp_path / "nets.py"
    path.write_text(
        "from torch import nn\nfrom lipbench.nets.cnn8 import make as small\n"
        "def make(shape, latents):\n"
        "    generator, critic = small(shape, latents)\n"
        "    return generator, nn.Sequential(nn.BatchNorm2d(1), *critic)\n"
    )
    refused = make_run("gp", architecture=f"{path}:make")
    assert go(refused) == FAILED
    error = refused.read_json("error.json")
    assert error is not None
    assert "it has BatchNorm2d" in error["message"]
    assert go(make_run("wc", architecture=f"{path}:make")) == FINISHED
