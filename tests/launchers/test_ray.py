"""The Ray launcher: real clusters of several nodes on this machine, which lose nodes."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lipbench.api.launching import make_launcher
from lipbench.disk.results import run_folders
from lipbench.disk.store import RunFolder, Status
from lipbench.errors import RequestError
from lipbench.launch.sweep import Sweep, planned_in
from lipbench.launchers._ray_cluster import Wanted, connected
from lipbench.launchers._ray_files import keep
from lipbench.launchers._ray_node import readable
from lipbench.launchers._ray_place import Place
from lipbench.launchers._ray_work import Work
from lipbench.work import checkpoint
from tests.conftest import MakeRun
from tests.launch.test_launcher import command, statuses, wait_for
from tests.work.test_resume import assert_equal

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed: pip install ray")

OWN = '''"""Halves scores, slowly as long as there is a certain file."""
import time
from pathlib import Path
from lipbench import Method
from helper import HALF, GATE
class Own(Method):
    def score(self, value, grad_norm):
        if Path(GATE).exists(): time.sleep(0.02)
        return HALF * value
'''


class Cluster:
    """Two nodes of one processor each, one of two with another lipbench, and a head of none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        line = [sys.executable, "-m", "tests.launchers.ray_cluster", str(folder)]
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=root
        )
        self.address = self._answer()
        other = folder / "other" / "lipbench"
        other.mkdir(parents=True)
        other.joinpath("__init__.py").touch()
        other.joinpath("version.py").write_text('VERSION = "0.0.9"\n')
        for words in ("add 1", "add 1", f"add 2 {other.parent}"):
            self.tell(words)

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def tell(self, words: str) -> None:
        assert self.process.stdin is not None
        print(words, file=self.process.stdin, flush=True)
        assert self._answer() == "ready"

    def launching(self, results: Path, *words: str, asked: str = "num_cpus=1") -> "subprocess.Popen[str]":
        line = [*command(results, "--on", f"ray[address={self.address},{asked}]"), *words]
        environment = {**os.environ, "RAY_TMPDIR": str(self.folder)}
        return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="ray-"))  # short: Ray makes sockets there
    made = Cluster(folder)
    try:
        yield made
    finally:
        made.process.communicate()
        shutil.rmtree(folder)


def lines(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.read()


@needs_ray
@pytest.mark.slow
def test_runs_end_bit_equal_to_those_here_though_a_node_is_lost(
    cluster: Cluster, make_run: MakeRun, tmp_path: Path
) -> None:
    own, gate, there = tmp_path / "own.py", tmp_path / "slow", tmp_path / "there"
    own.write_text(OWN)
    own.with_name("helper.py").write_text(f'"""Numbers and places."""\nHALF, GATE = 0.5, {str(gate)!r}\n')
    long = {"train__steps": 60, "evaluate__every": 10}
    here = [make_run(str(own), seed=seed, finished=True, results="here", **long) for seed in (0, 1)]
    words = ("--methods", str(own), "--seeds", "0-1", "--steps", "60", "--set", "evaluate.every=10")
    with cluster.launching(there, *words) as launcher:
        wait_for(lambda: len([*there.glob("runs/*/cell.json")]) == 2)
        gate.touch()
        wait_for(lambda: len([*there.glob("runs/*/checkpoint.pt")]) == 2)
        cluster.tell("remove 0")
        gate.unlink()
        printed = lines(launcher)
    assert launcher.returncode == 0, printed
    assert "2 done" in printed
    assert "goes on from its last checkpoint: " in printed
    assert "was lost" in printed
    assert "(raylet)" not in printed
    for folder in here:
        assert_equal(folder, RunFolder(there / "runs" / folder.id))
    (yardsticks,) = there.glob("yardsticks/*.json")
    assert yardsticks.read_bytes() == Path(tmp_path, "here", "yardsticks", yardsticks.name).read_bytes()
    assert [*cluster.folder.glob("node1/lipbench-*")] == []


@needs_ray
@pytest.mark.slow
def test_at_ctrl_c_the_checkpoint_of_the_last_step_comes_back(cluster: Cluster, tmp_path: Path) -> None:
    with cluster.launching(tmp_path, "--methods", "gn", "--seeds", "0", "--steps", "3000") as launcher:
        wait_for(lambda: [*tmp_path.glob("runs/*/checkpoint.pt")])
        assert set(statuses(tmp_path).values()) == {Status.RUNNING}
        os.kill(launcher.pid, signal.SIGINT)
        printed = lines(launcher)
    assert launcher.returncode == 130, printed
    assert "The same command goes on from here" in printed
    (folder,) = run_folders(tmp_path)
    assert folder.status() is Status.INTERRUPTED
    state = checkpoint.load(folder)
    assert state is not None
    assert f"stopped at step {state['trainer']['step']:,};" in printed
    assert state["trace"] == folder.evaluations.signature()


@needs_ray
@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("num_gpus=0.25", "no node of the Ray cluster has the 1 CPU and 0.25 GPUs that a run asks for; there is "),
        ("num_cpus=2", " has lipbench 0.0.9, and this is "),  # the one node that could
    ],
)
def test_what_a_cluster_cannot_give_is_refused_and_nothing_begins(
    cluster: Cluster, tmp_path: Path, asked: str, reason: str
) -> None:
    with cluster.launching(tmp_path, "--methods", "gn", asked=asked) as launcher:
        printed = lines(launcher)
    assert launcher.returncode == 2
    assert reason in printed
    assert "Traceback" not in printed
    assert [*tmp_path.glob("runs/*")] == []


@needs_ray
@pytest.mark.slow
def test_an_address_that_does_not_answer_is_refused_with_a_cure() -> None:
    program = (
        "from lipbench.launchers import _ray_cluster as cluster\n"
        "cluster.ANSWER_SECONDS = 3.0\n"
        "with cluster.connected('127.0.0.1:1'): pass\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "lipbench.errors.RequestError: the Ray cluster of address=127.0.0.1:1 cannot be used (no ans"
    )
    assert "ray start --head" in last


def test_without_ray_the_launcher_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RequestError, match="pip install ray"), connected("auto"):
        pass


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("num_gpus=-1", "num_gpus is -1; expected 0, a part of one, or a whole number"),
        ("num_gpus=1.5", "num_gpus is 1.5; expected 0, a part of one, or a whole number"),
        ("num_cpus=0", "num_cpus is 0; expected more than 0"),
        ("retries=-1", "retries is -1; expected 0 or more"),
        ("address=ray://head:10001", "of a Ray Client; expected that of the cluster"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(given: str, expected: str) -> None:
    with pytest.raises(RequestError, match=expected.replace("[", r"\[")):
        make_launcher(f"ray[{given}]")


def test_a_gpu_is_not_used_unless_ray_is_asked_for_one() -> None:
    launcher: Any = make_launcher("ray")
    with pytest.raises(RequestError, match="expected such as ray"):
        launcher._device("cuda")
    assert launcher._device("auto") == "cpu"
    assert make_launcher("ray[num_gpus=0.5]")._device("auto") == "cuda"  # type: ignore[attr-defined]  # it is a Ray


def test_a_node_takes_as_many_runs_as_its_scarcest_resource_allows() -> None:
    assert Wanted(1.0, 0.0).times({"CPU": 16.0, "GPU": 4.0}) == 16
    assert Wanted(1.0, 0.25).times({"CPU": 16.0, "GPU": 4.0}) == 16
    assert Wanted(2.0, 0.25).times({"CPU": 16.0, "GPU": 4.0}) == 8
    assert Wanted(1.0, 0.1).times({"CPU": 16.0, "GPU": 1.0}) == 10
    assert Wanted(1.0, 1.0).times({"CPU": 16.0}) == 0


def sweep_of(folder: RunFolder) -> Sweep:
    return Sweep(folder.path.parent.parent, [planned_in(folder)], device="cpu")


def test_a_run_that_is_lost_again_and_again_fails_and_one_that_makes_progress_does_not(make_run: MakeRun) -> None:
    folder = make_run("gn")
    sweep = sweep_of(folder)
    ray = SimpleNamespace(exceptions=SimpleNamespace(RayError=OSError))
    work = Work(ray, sweep, Wanted(1.0, 0.0), "cpu", retries=2, autoscale=False)
    actor = SimpleNamespace(exchange=SimpleNamespace(remote=lambda *given: None))
    place = Place(actor, None, node="1", host="n1", results="/there", run=folder.id)
    for _ in range(2):
        work._again(folder.id, "n1 was lost")
    work._take(place, ([], {f"runs/{folder.id}/checkpoint.pt": b"new"}))
    for _ in range(2):
        work._again(folder.id, "n1 was lost")
    assert sweep.summary.statuses[folder.id] is Status.INTERRUPTED
    work._again(folder.id, "n1 was lost")
    assert sweep.summary.statuses[folder.id] is Status.FAILED
    assert sweep.summary.reasons[folder.id].startswith("n1 was lost, 3 times since its last checkpoint; it goes on")


def test_a_node_whose_disk_refuses_is_left_out_and_its_run_goes_on_elsewhere(make_run: MakeRun) -> None:
    folder = make_run("gn")
    sweep = sweep_of(folder)
    sweep.waiting.clear()
    ray = SimpleNamespace(exceptions=SimpleNamespace(RayError=OSError))
    work = Work(ray, sweep, Wanted(1.0, 0.0), "cpu", retries=2, autoscale=False)
    actor = SimpleNamespace(close=SimpleNamespace(remote=lambda: None))
    work._lose(Place(actor, None, node="1", host="n1", results="/there", run=folder.id), OSError(28, "No space left"))
    assert work._left_out == {"1": "n1 cannot be used: OSError"}
    assert list(sweep.waiting) == [folder.id]


def test_what_comes_back_is_written_in_an_order_that_can_be_interrupted_anywhere(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run("gn")
    folder.file("error.json").touch()
    written: list[str] = []
    monkeypatch.setattr(RunFolder, "write", lambda self, name, content: written.append(name))
    names = ("checkpoint.pt", "result.json", "log.txt", "trace.jsonl")
    came: dict[str, bytes | None] = {f"runs/{folder.id}/{name}": b"" for name in names}
    assert keep(sweep_of(folder), folder.id, came | {f"runs/{folder.id}/error.json": None})
    assert written == ["log.txt", "trace.jsonl", "checkpoint.pt", "result.json"]
    assert not folder.file("error.json").exists()


def test_claims_and_earlier_attempts_stay_where_they_are(make_run: MakeRun) -> None:
    folder = make_run("gn")
    folder.file("attempt-1").mkdir()
    folder.file("attempt-1/trace.jsonl").touch()
    folder.file(".trace.jsonl.00.partial").touch()
    with folder.claimed():
        assert readable(folder.path) == ["cell.json"]
