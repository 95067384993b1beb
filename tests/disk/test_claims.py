"""Claims: one process at a time, on any disk."""

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lipbench.disk import claims, holders
from lipbench.disk.claims import ClaimLostError, held, holder
from lipbench.errors import StoreError

COUNT = """
import sys, time
from pathlib import Path
from lipbench.disk.claims import held
folder, made = Path(sys.argv[1]), 0
while made < 25:
    with held(folder / "claim") as claim:
        if claim is not None:
            count = int((folder / "count").read_text())
            time.sleep(0.001)
            (folder / "count").write_text(str(count + 1))
            made += 1
"""
HOLD = """
import sys, time
from pathlib import Path
from lipbench.disk.claims import held
with held(Path(sys.argv[1], "claim")) as claim:
    print(claim is not None, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "claim"


def elsewhere(monkeypatch: pytest.MonkeyPatch, silent: float = 0.2, watched: float = 0.05) -> None:
    """From now on this is another machine than that of all claims so far, and less patient."""
    monkeypatch.setattr(holders, "_machine", lambda: "another")
    monkeypatch.setattr(holders, "SILENT", silent)
    monkeypatch.setattr(holders, "WATCHED", watched)


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_processes_that_contend_hold_it_one_after_another(tmp_path: Path) -> None:
    (tmp_path / "count").write_text("0")
    words = [sys.executable, "-P", "-c", COUNT, str(tmp_path)]
    processes = [subprocess.Popen(words) for _ in range(4)]
    assert [process.wait(timeout=120) for process in processes] == [0] * 4
    assert (tmp_path / "count").read_text() == "100"
    (left,) = tmp_path.glob("*claim*")
    assert left.read_bytes() == claims.ENDED


def test_what_a_killed_process_held_can_be_taken_at_once_on_its_machine(place: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-P", "-c", HOLD, str(place.parent)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "True\n"
        found = holder(place)
        assert found is not None and found.pid == process.pid and found.seen
        with held(place) as claim:
            assert claim is None
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now
        assert holder(place) is None
        with held(place) as claim:
            assert claim is not None and claim.path.name == "claim.2"


def test_another_machine_takes_over_what_is_silent_and_leaves_what_lives(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "BEAT", 0.05)
    with held(place) as first:
        assert first is not None
        elsewhere(monkeypatch)
        for _ in range(10):
            found = holder(place)
            assert found is not None and found.counts
            time.sleep(0.05)
        assert found.seen
        first._done.set()  # halted
        time.sleep(0.1)
        age(first.path, 0.3)
        holder(place)
        time.sleep(0.1)
        with held(place) as second:
            assert second is not None
            with pytest.raises(ClaimLostError, match="gave no sign of life"):
                first.check()
        first.release()
        assert [path.name for path in place.parent.iterdir()] == ["claim.2"]


def test_one_look_does_not_make_a_holder_elsewhere_count_as_gone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held(place) as first:
        assert first is not None
        elsewhere(monkeypatch, silent=60, watched=60)
        age(first.path, 3600)  # or the clock of the disk was set
        found = holder(place)
        assert found is not None and not found.counts and "silent for 3600 s" in str(found)
        with held(place) as second:
            assert second is None


def test_a_time_in_the_future_does_not_hold_a_claim_for_ever(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held(place) as first:
        assert first is not None
        elsewhere(monkeypatch)
        age(first.path, -3600)
        assert holder(place) is not None
        time.sleep(0.25)
        assert holder(place) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": "x"}', "\x00" * 100, '{"pid": "NaN", "host": 1}'])
def test_a_damaged_claim_counts_until_it_is_silent(place: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    damaged = place.with_name("claim.7")
    damaged.write_text(content)
    elsewhere(monkeypatch)
    found = holder(place)
    assert found is not None and str(found) == "whoever wrote a damaged claim"
    time.sleep(0.25)
    with held(place) as claim:
        assert claim is not None and claim.path.name == "claim.8"
    assert not damaged.exists()


def test_a_folder_in_place_of_a_claim_is_named(place: Path) -> None:
    place.with_name("claim.3").mkdir()
    with pytest.raises(StoreError, match=r"claim.3' is a folder; expected a file: move it away"), held(place):
        pass


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS])
def test_a_disk_without_hard_links_serves_too(place: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    with held(place) as first, held(place) as second:
        assert first is not None
        assert second is None
    with held(place) as third:
        assert third is not None


def test_a_link_whose_answer_was_lost_is_found(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def lose(source: Path, target: Path) -> None:
        link(source, target)
        raise FileExistsError(errno.EEXIST, "the same question was asked twice")

    monkeypatch.setattr(os, "link", lose)
    with held(place) as claim:
        assert claim is not None
        claim.check()


def test_whoever_comes_between_look_and_creation_loses_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = claims.holder

    def slow(asked: Path) -> holders.Holder | None:
        found = look(asked)
        with monkeypatch.context() as patch:
            patch.setattr(claims, "holder", look)
            for _ in range(2):
                with held(asked):
                    pass
        return found

    with monkeypatch.context() as patch:
        patch.setattr(claims, "holder", slow)
        with held(place) as claim:
            assert claim is None
    with held(place) as claim:
        assert claim is not None and claim.path.name == "claim.3"


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(StoreError, match="cannot be used to claim the work there: No such file"),
        held(tmp_path / "gone" / "claim"),
    ):
        pass


def test_a_claim_that_cannot_be_completed_is_given_back(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, content: bytes) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(claims, "Claim", fail)
        with pytest.raises(KeyboardInterrupt), held(place):
            pass
    assert holder(place) is None


def test_a_full_disk_leaves_no_halves_and_no_claim(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with held(place) as claim:
        assert claim is not None
        monkeypatch.setattr(os, "write", full)
    assert holder(place) is None
    with pytest.raises(StoreError, match="cannot be used to claim the work there: No space left"), held(place):
        pass
    assert not [*place.parent.iterdir()]


def test_what_a_link_in_place_of_a_claim_leads_to_is_left_alone(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(claims.ENDED + b"and more")
    place.with_name("claim.3").symlink_to(other)
    with held(place) as claim:
        assert claim is not None
    assert other.read_bytes() == claims.ENDED + b"and more"


def test_a_claim_of_this_machine_without_a_birth_counts_until_it_is_silent(place: Path) -> None:
    said = {"host": "here", "pid": os.getpid(), "machine": holders._machine(), "born": None}
    place.with_name("claim.3").write_text(json.dumps(said))
    assert holder(place) is not None
    place.with_name("claim.4").write_text(json.dumps(said | {"pid": 10**30, "born": "1"}))
    assert holder(place) is not None
    with subprocess.Popen(["true"]) as ended:
        pass
    place.with_name("claim.5").write_text(json.dumps(said | {"pid": ended.pid}))
    assert holder(place) is None


def test_a_mac_knows_its_own_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(path: Path) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(Path, "read_text", missing)  # there is no /proc
    made = holders._machine.__wrapped__()
    assert made is not None and made == holders._machine.__wrapped__()


def test_a_halt_of_whoever_looks_is_no_silence_of_the_holder(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = Path.stat

    def halted(path: Path, **options: bool) -> os.stat_result:
        found = look(path, **options)
        if path.name == "claim.1":
            time.sleep(0.3)
        return found

    with held(place):
        elsewhere(monkeypatch)
        monkeypatch.setattr(Path, "stat", halted)
        for _ in range(2):
            assert holder(place) is not None


def test_a_claim_that_cannot_be_looked_at_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path) -> float:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with held(place):
        elsewhere(monkeypatch)
        monkeypatch.setattr(holders, "_disk_time", fail)
        with pytest.raises(StoreError, match=r"claim.1' cannot be used .*: Input/output error"):
            holder(place)
