"""A real Slurm: from submission to report, through limits, requeues, failures and lost nodes."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lipbench.disk.results import run_folders
from lipbench.disk.store import RunFolder, Status
from tests.launch.test_launcher import SETTINGS
from tests.slurm import Cluster, available
from tests.work.test_resume import assert_equal

pytestmark = [pytest.mark.slow, pytest.mark.skipif(available() is not None, reason=str(available()))]

HEAD = (
    '"""Mine."""\nfrom time import sleep\nfrom lipbench import Method\n'
    "class Mine(Method):\n    def project(self, critic):\n"
)
BAD = HEAD + "        raise OSError('no luck')\n"
SLOW = HEAD + (
    "        sleep(0.05)\n"  # on whatever machine
    "        for weight in critic.parameters():\n            weight.clamp_(-0.1, 0.1)\n"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(nodes=2, cpus=4) as started:
        yield started


def words(results: Path, *more: str, on: str = "slurm[cpus=2]") -> list[str]:
    command = [sys.executable, "-P", "-m", "lipbench", "run", "--device", "cpu", "--results", str(results)]
    return [*command, *SETTINGS, "--on", on, *more]


def lipbench(*given: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def status(results: Path) -> str:
    return lipbench(sys.executable, "-P", "-m", "lipbench", "status", "--results", str(results)).stdout


def ended(cluster: Cluster, results: Path) -> bool:
    """Whether every job of a results folder has left the queue."""
    arrays = {path.name for path in (results / "slurm").iterdir()}
    return not any(job["name"] in arrays and job["state"] not in OVER for job in cluster.jobs())


OVER = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL")


def job_of(cluster: Cluster, results: Path) -> dict[str, str]:
    arrays = {path.name for path in (results / "slurm").iterdir()}
    (job,) = [job for job in cluster.jobs() if job["name"] in arrays]
    return job


def log(results: Path) -> str:
    return "".join(path.read_text() for path in sorted(results.glob("slurm/*/*.log")))


def begun(results: Path) -> bool:
    return any(results.glob("runs/*/checkpoint.pt"))


def straight(tmp_path: Path, *more: str) -> RunFolder:
    """The only run of a sweep, made in one go on this machine."""
    assert lipbench(*words(tmp_path / "straight", *more, on="local")).returncode == 0
    (folder,) = run_folders(tmp_path / "straight")
    return folder


def test_a_sweep_is_submitted_in_one_array_and_a_failing_run_costs_no_other(cluster: Cluster, tmp_path: Path) -> None:
    bad, results = tmp_path / "bad.py", tmp_path / "results"
    bad.write_text(BAD)
    command = words(results, "--methods", f"gn,{bad},wc", "--seeds", "0-1", on="slurm[pack=3,array=2,cpus=2]")
    done = lipbench(*command)
    assert done.returncode == 0, done.stderr
    assert "6 runs in 2 jobs, at most 2 jobs at a time" in done.stdout
    assert "Next: lipbench status" in done.stdout
    again = lipbench(*command)
    assert "6 queued" in again.stdout and "Nothing was submitted" in again.stdout
    assert "2  " in status(results)
    cluster.wait(lambda: ended(cluster, results), "the sweep", 120)
    said = status(results)
    assert said.count("failed: bad-digits") == 2 and "OSError: no luck" in said
    assert {folder.id[:2]: folder.status() for folder in run_folders(results)} == {
        "gn": Status.DONE,
        "ba": Status.FAILED,
        "wc": Status.DONE,
    }
    assert {job["state"] for job in cluster.jobs() if job["name"].startswith("lipbench")} == {"FAILED"}
    assert len([*results.glob("yardsticks/*.json")]) == 1
    assert "gn" in lipbench(sys.executable, "-P", "-m", "lipbench", "report", "--results", str(results)).stdout
    retried = lipbench(*command, "--retry-failed")
    assert "Submitted as job" in retried.stdout and ": 2 runs in 1 job, at most" in retried.stdout
    cluster.wait(lambda: ended(cluster, results), "the failed runs", 120)
    assert len([*results.glob("runs/bad*/attempt-1/error.json")]) == 2


def test_the_same_command_twice_at_once_submits_every_run_once(cluster: Cluster, tmp_path: Path) -> None:
    command = words(tmp_path, "--methods", "gn,sn", "--seeds", "0-2", on="slurm[pack=6,cpus=2]")
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [each.communicate(timeout=60)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0]
    assert sorted("Submitted as job" in text for text in said) == [False, True]
    assert len([*tmp_path.glob("slurm/lipbench-*")]) == 1
    cluster.wait(lambda: ended(cluster, tmp_path), "the sweep", 120)
    assert {folder.status() for folder in run_folders(tmp_path)} == {Status.DONE}
    assert all([line["step"] for line in folder.trace()[0]] == [3, 6] for folder in run_folders(tmp_path))


def test_a_job_whose_time_is_up_is_queued_again_and_its_run_goes_on(cluster: Cluster, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text(SLOW)
    more = ("--methods", str(slow), "--seeds", "0", "--steps", "1000", "--set", "evaluate.every=1000")
    assert lipbench(*words(tmp_path, *more, on="slurm[time=1,signal=1,cpus=2]")).returncode == 0
    cluster.wait(lambda: "is queued again" in log(tmp_path), "the time limit", 120)
    assert "stopped at step" in log(tmp_path)
    cluster.wait(lambda: job_of(cluster, tmp_path)["state"] == "PENDING", "the queue")
    assert re.search(r"queued: slow-\S+: waits for its next turn in job \w+ \(BeginTime\)", status(tmp_path))
    assert begun(tmp_path)
    again = lipbench(*words(tmp_path, *more))
    assert "1 queued" in again.stdout and "Submitted" not in again.stdout
    cluster.wait(lambda: "running: slow-digits" in status(tmp_path), "its next turn")
    subprocess.run(["scancel", job_of(cluster, tmp_path)["id"]], check=True)
    cluster.wait(lambda: ended(cluster, tmp_path), "the end")
    said = status(tmp_path)
    assert "interrupted: slow-digits" in said and "its job has left the queue: " in said
    assert "Submitted" in lipbench(*words(tmp_path, *more)).stdout  # it was cancelled, and is wanted again
    for path in tmp_path.glob("slurm/lipbench-*"):
        subprocess.run(["scancel", "--name", path.name], check=True)


@pytest.mark.parametrize("how", ["at its limit", "from outside"])
def test_a_run_that_is_queued_again_ends_bit_equal(cluster: Cluster, tmp_path: Path, how: str) -> None:
    more = ("--methods", "sn+gp", "--seeds", "0", "--steps", "300", "--set", "evaluate.every=50")
    results = tmp_path / "results"
    assert lipbench(*words(results, *more)).returncode == 0
    cluster.wait(lambda: begun(results), "a checkpoint")
    job = job_of(cluster, results)["id"]
    if how == "at its limit":
        subprocess.run(["scancel", "--batch", "--signal", "USR1", job], check=True)  # as --signal delivers it
        cluster.wait(lambda: f"Job {job} is queued again" in log(results), "the requeue")
    else:
        subprocess.run(["scontrol", "requeue", job], check=True)
    whole = straight(tmp_path, *more)  # meanwhile
    cluster.wait(lambda: ended(cluster, results), "the end", 120)
    (folder,) = run_folders(results)
    assert folder.status() is Status.DONE, log(results)
    assert_equal(folder, whole)
    assert log(results).count("started") == 2


def test_a_lost_node_costs_no_run_and_makes_none_twice(cluster: Cluster, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text(SLOW)
    more = ("--methods", str(slow), "--seeds", "0", "--steps", "900", "--set", "evaluate.every=300")
    assert lipbench(*words(tmp_path, *more)).returncode == 0
    cluster.wait(lambda: job_of(cluster, tmp_path)["state"] == "RUNNING", "its start")
    node = job_of(cluster, tmp_path)["node"]
    cluster.kill_slurmd(node)  # Slurm loses sight of the job, which goes on
    try:
        cluster.wait(lambda: job_of(cluster, tmp_path)["node"] not in (node, ""), "another node", 120)
        cluster.wait(lambda: ended(cluster, tmp_path), "the end", 120)
    finally:
        cluster.start_slurmd(node)
        cluster.wait(lambda: cluster.states()[node] in ("idle", "mix"), "the node")
    (folder,) = run_folders(tmp_path)
    assert folder.status() is Status.DONE, log(tmp_path)
    assert [line["step"] for line in folder.trace()[0]] == [300, 600, 900]
    assert "is worked on by process " in log(tmp_path)


def test_what_slurm_refuses_is_told_and_leaves_nothing(cluster: Cluster, tmp_path: Path) -> None:
    done = lipbench(*words(tmp_path, "--methods", "gn", "--seeds", "0", on="slurm[partition=nosuch]"))
    assert done.returncode == 2
    assert "Slurm refuses the jobs: invalid partition specified: nosuch; " in done.stderr
    assert "`sinfo -o '%P %G %l'` lists partitions" in done.stderr
    assert not [*tmp_path.glob("slurm/lipbench-*"), *tmp_path.glob("runs/*")]
