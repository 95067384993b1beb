"""What a job of Slurm's does on its node, and what is said of jobs, without a Slurm."""

import os
import shlex
from pathlib import Path

import pytest

import lipbench
from lipbench.api.launching import make_launcher
from lipbench.disk import holders
from lipbench.disk.store import RunFolder, Status
from lipbench.errors import LipbenchError, RequestError
from lipbench.launch.sweep import Sweep, planned_in
from lipbench.launchers import _slurm_job, _submissions, slurm
from lipbench.launchers._submissions import Submission, standing
from lipbench.request.plan import plan
from lipbench.version import VERSION
from tests.conftest import TINY, MakeRun

FAKE = '#!/bin/sh\necho "$@" >> {log}\n{script}\n'


def submission(*names: str, version: str = VERSION) -> Submission:
    return Submission(
        lipbench=version, tasks=[[*names]], over={}, jobs=1, device="cpu", timeout=None, argv=["lipbench", "run"]
    )


def put(results: Path, what: Submission, name: str = "lipbench-0") -> Path:
    folder = results / "slurm" / name
    folder.mkdir(parents=True)
    (folder / "runs.json").write_text(what.model_dump_json())
    return folder


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Fake":
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return Fake(tmp_path)


class Fake:
    """Stands in for a command of Slurm's that fails, lingers or says what no test can make Slurm say."""

    def __init__(self, folder: Path) -> None:
        self.log, self._bin = folder / "asked.log", folder / "bin"
        self._bin.mkdir()

    def put(self, name: str, script: str) -> None:
        path = self._bin / name
        path.write_text(FAKE.format(log=self.log, script=script))
        path.chmod(0o755)


def test_a_node_with_another_version_refuses_and_says_both_in_every_run(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("gn")
    place = put(tmp_path / "results", submission(folder.id, version="0.0.1"))
    assert _slurm_job.work(place, 0) == 1
    said = (folder.read_json("error.json") or {})["message"]
    assert f"has lipbench {VERSION} in " in said and "0.0.1 has submitted the run; expected one version" in said


def test_a_node_that_does_not_see_the_results_folder_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _slurm_job.work(tmp_path / "slurm" / "lipbench-0", 0) == 1
    assert "expected a results folder on a disk that all nodes share" in capsys.readouterr().out


def test_a_job_that_has_not_advanced_is_not_queued_again(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake.put("scontrol", "exit 0")
    _slurm_job._queue_again(3, advanced=False)
    assert "expected a longer time=" in capsys.readouterr().out
    assert not fake.log.exists()


def test_a_job_that_has_advanced_asks_for_itself_alone(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "16")
    fake.put("scontrol", "exit 0")
    _slurm_job._queue_again(3, advanced=True)
    assert fake.log.read_text() == "requeue 16_3\n"
    fake.put("scontrol", "echo 'Requested operation is presently disabled' >&2; exit 1")
    _slurm_job._queue_again(3, advanced=True)
    assert "It is not queued again: Requested operation is presently disabled" in capsys.readouterr().out


def test_a_damaged_folder_of_a_pack_costs_no_other_run(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = make_run("gn"), make_run("wc")
    first.file("cell.json").write_text("{")
    second.write_json("result.json", {"status": "done"})
    assert _slurm_job.work(put(tmp_path / "results", submission(first.id, second.id)), 0) == 1
    assert "cell.json' was changed" in capsys.readouterr().out


def test_a_run_that_starts_over_is_set_aside_once_however_often_its_job_begins(
    make_run: MakeRun, tmp_path: Path
) -> None:
    folder = make_run("gn")
    folder.record_failure("error", "no luck")
    over = {folder.id: folder.attempt()}
    for _ in range(2):
        assert Sweep(tmp_path / "results", [planned_in(folder)], over=over).make(folder.id)
    assert [path.name for path in folder.path.glob("attempt-*")] == ["attempt-1"]


def test_a_digest_of_how_a_run_has_ended_is_the_same_by_whatever_path(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run("gn")
    folder.record_failure("error", "no luck")
    monkeypatch.chdir(tmp_path)
    assert RunFolder(folder.path.relative_to(tmp_path)).attempt() == folder.attempt()


def test_what_slurm_refuses_leaves_no_run_behind_and_takes_none_away(
    fake: Fake, make_run: MakeRun, tmp_path: Path
) -> None:
    before = make_run("gn")
    fake.put("sbatch", "echo 'sbatch: error: Invalid job array specification' >&2; exit 1")
    with pytest.raises(RequestError, match="Slurm refuses the jobs: Invalid job array specification.*pack=4"):
        make_launcher("slurm").launch(Sweep(tmp_path / "results", plan("gn,wc", None, [0], "digits", TINY)))
    assert [path.name for path in (tmp_path / "results" / "runs").iterdir()] == [before.id]
    assert not [*tmp_path.glob("results/slurm/lipbench-*")]


@pytest.mark.parametrize("alone", [False, True])
def test_a_queued_run_is_not_merged(fake: Fake, make_run: MakeRun, tmp_path: Path, alone: bool) -> None:
    folder = make_run("gn")
    put(tmp_path / "results", submission(folder.id))
    fake.put("squeue", "echo 'lipbench-0|8|0|PENDING||Priority'")
    merged = lipbench.merge(folder.path if alone else tmp_path / "results", into=tmp_path / "all")
    (entry,) = merged.entries
    assert entry.reason == (
        "queued: waits for its turn in job 8_0 (Priority); merge again when it has ended, or cancel it"
    )
    assert not merged.complete


def test_of_a_finished_run_no_log_is_read(fake: Fake, make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("gn")
    put(tmp_path / "results", submission(folder.id))
    fake.put("squeue", "exit 0")
    assert "without a log" in standing(tmp_path / "results")[folder.id].text
    folder.write_json("result.json", {"status": "done"})
    assert standing(tmp_path / "results") == {}


def test_the_queue_is_told_in_words(fake: Fake, tmp_path: Path) -> None:
    put(tmp_path, Submission(**submission().model_dump() | {"tasks": [["a", "b"], ["c"], ["d"], ["e"]]}))
    (tmp_path / "slurm" / "lipbench-0" / "2.log").write_text("one\ntwo\n")
    lines = (
        "lipbench-0|8|0|RUNNING|node1|None",
        "lipbench-0|8|1|PENDING||JobArrayTaskLimit",
        "other|9|N/A|RUNNING|node2|None",
    )
    fake.put("squeue", "\n".join(f"echo '{line}'" for line in lines))
    found = standing(tmp_path)
    assert {name: each.queued for name, each in found.items()} == {
        "a": True, "b": True, "c": True, "d": False, "e": False
    }  # fmt: skip
    assert found["b"].text == "its turn in job 8_0 on node1 is still to come"
    assert found["b"].where == "job 8_0 on node1"
    assert found["c"].text == "waits for its turn in job 8_1 (JobArrayTaskLimit)"
    assert found["d"].text.startswith("its job has left the queue: two (")
    assert "without a log" in found["e"].text and "or its node does not see that folder" in found["e"].text
    assert fake.log.read_text().startswith("--all --name=lipbench-0 ")


def test_the_end_of_a_long_log_is_read_whatever_else_is_in_it(fake: Fake, tmp_path: Path) -> None:
    fake.put("squeue", "exit 0")
    log = put(tmp_path, submission("a")) / "0.log"
    with log.open("wb") as file:
        file.seek(2**29)
        file.write(b"\xff\nlast\n")
    assert standing(tmp_path)["a"].text.startswith("its job has left the queue: last (")


def test_the_last_submission_of_a_run_counts_though_an_earlier_one_still_writes_logs(
    fake: Fake, tmp_path: Path
) -> None:
    earlier = put(tmp_path, submission("a", "b"))
    os.utime(earlier / "runs.json", (1, 1))
    put(tmp_path, submission("a"), "lipbench-1")
    (earlier / "7.log").touch()
    os.utime(earlier, (2**31, 2**31))
    fake.put("squeue", "echo 'lipbench-1|8|0|PENDING||Priority'")
    assert standing(tmp_path)["a"].queued


def test_what_the_surroundings_say_to_squeue_hides_no_job(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, submission("a"))
    monkeypatch.setenv("SQUEUE_STATES", "RUNNING")
    fake.put("squeue", 'echo "lipbench-0|8|0|PENDING||${SQUEUE_STATES:-Priority}"')
    assert standing(tmp_path)["a"].text == "waits for its turn in job 8_0 (Priority)"


def test_where_nothing_was_submitted_nothing_is_asked(fake: Fake, tmp_path: Path) -> None:
    fake.put("squeue", "exit 1")
    assert standing(tmp_path) == {}
    assert not fake.log.exists()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'Unable to contact slurm controller' >&2; exit 1", "squeue fails .Unable to contact slurm controller"),
        ("sleep 9", "squeue has not answered within 0.3 s"),
    ],
)
def test_a_queue_that_does_not_answer_is_told_and_nothing_is_submitted(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: str
) -> None:
    monkeypatch.setattr(_submissions, "PATIENCE", 0.3)
    put(tmp_path, submission("a"))
    fake.put("squeue", script)
    fake.put("sbatch", "echo 1")
    with pytest.raises(LipbenchError, match=expected):
        make_launcher("slurm").launch(Sweep(tmp_path, plan("gn", None, [0], "digits", TINY)))
    assert [path.name for path in (tmp_path / "slurm").glob("lipbench-*")] == ["lipbench-0"]


@pytest.mark.parametrize("script", ["sleep 9", "echo 'Socket timed out on send/recv operation' >&2; exit 1"])
def test_an_sbatch_that_lingers_leaves_what_it_may_have_taken(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(_submissions, "PATIENCE", 0.3)
    fake.put("sbatch", script)
    with pytest.raises(RequestError, match="and may have submitted the jobs"):
        make_launcher("slurm").launch(Sweep(tmp_path, plan("gn", None, [0], "digits", TINY)))
    assert len([*tmp_path.glob("slurm/lipbench-*/runs.json")]) == 1


def test_without_sbatch_it_is_told_where_to_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RequestError, match="there is no sbatch on this machine; .* on a login node"):
        make_launcher("slurm").launch(Sweep(tmp_path, plan("gn", None, [0], "digits", TINY)))


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    put(tmp_path, submission("a")).joinpath("runs.json").write_text('{"tasks": 1}')
    with pytest.raises(LipbenchError, match=r"runs.json' is damaged .* remove the folder"):
        standing(tmp_path)


def test_the_script_holds_what_was_asked_and_packs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPBENCH_DATA", "/data/of all")
    text = (
        "slurm[partition=gpu,gres=gpu:1,time=4:00:00,cpus=8,pack=4,array=32,setup=module load cuda,options=--mem=1G -v]"
    )
    sweep = Sweep(tmp_path, plan("gn,sn,wc", None, range(3), "digits", TINY))
    make_launcher(text).check(sweep)
    script, said = sweep.summary.notes
    assert said.startswith("9 runs in 3 jobs, at most 32 jobs at a time would be submitted. Slurm was not asked")
    lines = script.splitlines()
    assert lines[0] == "#!/bin/bash"
    options = "partition=gpu gres=gpu:1 time=4:00:00 cpus-per-task=8 array=0-2%32 requeue mem=1G open-mode=append"
    for option in (*options.split(), "signal=B:USR1@90"):
        assert f"#SBATCH --{option}" in lines
    assert "export LIPBENCH_DATA='/data/of all'" in lines
    assert lines[-2].startswith("module load cuda || { echo")
    assert lines[-1].startswith("exec ") and "_slurm_job" in lines[-1]
    assert not (tmp_path / "slurm").exists()


def test_a_path_with_signs_of_the_shell_and_of_slurm_is_quoted(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path / "100% of it's", plan("gn", None, [0], "digits", TINY))
    make_launcher("slurm[options=--comment='a b' --wait-all-nodes=1]").check(sweep)
    script, _ = sweep.summary.notes
    words = [shlex.split(line)[1] for line in script.splitlines() if line.startswith("#SBATCH")]
    assert f"--output={tmp_path}/100%% of it's/slurm/lipbench-…/%a.log" in words
    assert words[-2:] == ["--comment=a b", "--wait-all-nodes=1"]


@pytest.mark.parametrize("name", ["back\\slash", "two\nlines"])
def test_a_path_that_sbatch_cannot_write_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match="expected none such as a backslash or a new line"):
        make_launcher("slurm").check(Sweep(tmp_path / name, plan("gn", None, [0], "digits", TINY)))


def test_a_run_whose_node_was_lost_is_submitted_again(
    fake: Fake, make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holders, "WATCHED", 0.1)
    fake.put("sbatch", "echo 1")
    folder = make_run("gn")
    lost = folder.file("claim.9")
    lost.write_text('{"host": "node5", "pid": 7, "machine": "node5", "born": "1", "token": ""}')
    os.utime(lost, (0, 0))
    sweep = Sweep(tmp_path / "results", plan("gn", None, [0], "digits", TINY))
    make_launcher("slurm").launch(sweep)
    assert sweep.summary.statuses == {folder.id: Status.QUEUED}
    assert "1 run in 1 job" in sweep.summary.notes[0]


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("slurm", "auto"),
        ("slurm[gres=gpu:1]", "cuda"),
        ("slurm[options=--exclusive --gres gpu:a100:1]", "cuda"),
        ("slurm[options=--gpus-per-node=1]", "cuda"),
        ("slurm[options=--exclude=gpu7]", "auto"),
    ],
)
def test_a_job_that_asks_for_a_gpu_does_not_go_on_without(fake: Fake, tmp_path: Path, text: str, device: str) -> None:
    fake.put("sbatch", "echo 1")
    make_launcher(text).launch(Sweep(tmp_path, plan("gn", None, [0], "digits", TINY)))
    (place,) = tmp_path.glob("slurm/lipbench-*")
    assert Submission.read(place).device == device


def test_a_file_in_place_of_the_folder_of_submissions_is_named(fake: Fake, tmp_path: Path) -> None:
    fake.put("sbatch", "echo 1")
    (tmp_path / "slurm").touch()
    with pytest.raises(LipbenchError, match="slurm' cannot be made: File exists; move away what is there"):
        make_launcher("slurm").launch(Sweep(tmp_path, plan("gn", None, [0], "digits", TINY)))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 300), ("5:30", 330), ("4:00:00", 14_400), ("1-12", 129_600), ("1-0:30", 88_200), ("2-01:00:05", 176_405)],
)
def test_times_are_read_as_sbatch_reads_them(text: str, seconds: int) -> None:
    assert slurm._seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("slurm[time=4h]", "time is '4h'; expected minutes, or a form such as 4:00:00"),
        ("slurm[time=2]", "checkpoints are written up to 120 s before the limit"),
        ("slurm[options=-M other]", "options holds '-M'"),
        ("slurm[pack=0]", "pack is 0; expected at least 1"),
        ("slurm[signal=0]", "signal is 0; expected at least 1"),
        ("slurm[array=many]", "array of slurm is 'many'; expected a whole number"),
        ("slurm[partiton=gpu]", "unknown parameter of slurm 'partiton'.*Did you mean 'partition'"),
        ("slrm", "unknown launcher 'slrm'.*Did you mean 'slurm'"),
        ("slurm,local", "expected one launcher, such as"),
        ("slurm+local", "expected one launcher, such as"),
        ("slurm[pack=1,2]", "expected one launcher, such as"),
        ("slurm[options=--a 'b]", "No closing quotation.*; expected options as typed in a shell"),
        ("slurm[options=--mem=1G --array=0-3]", "options holds '--array=0-3'; .* array= and signal= are parameters"),
        ("slurm[options=-Jmine]", "options holds '-Jmine'; expected none by which lipbench finds its jobs"),
    ],
)
def test_a_launcher_that_is_asked_for_wrongly_is_explained(text: str, expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        make_launcher(text)
