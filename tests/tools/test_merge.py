"""Merging results folders: what comes in, what is refused, and that nothing is ever lost."""

import errno
import os
import shutil
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lipbench
from lipbench.disk import holders
from lipbench.disk.store import RunFolder, Status
from lipbench.errors import RequestError, StoreError
from lipbench.tools import copies
from lipbench.tools.merge import merge
from lipbench.tools.merged import Outcome
from tests.reports.random_runs import planned
from tests.tools.merging import numbers, put, put_yardsticks, tree


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Two folders to merge, and the one that takes them."""
    return tmp_path / "a", tmp_path / "b", tmp_path / "all"


def outcomes(merged: Any) -> list[str]:
    return [str(entry.outcome) for entry in merged.entries]


runs = st.tuples(
    st.sampled_from(["done", "interrupted", "failed"]),
    st.integers(0, 2),  # the seed
    st.sampled_from([1.0, 2.0]),  # seconds a step
    st.sampled_from([2, 4]),
)
folders = st.lists(st.lists(runs, max_size=4, unique_by=lambda run: run[1]), min_size=2, max_size=3)


@settings(max_examples=15)
@given(folders)
def test_folders_give_the_same_in_any_order_and_merging_again_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, made: list[list[tuple[str, int, float, int]]]
) -> None:
    root = tmp_path_factory.mktemp("merge")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)  # takes most of the time
        given_ = [root / str(place) for place in range(len(made))]
        for results, own in zip(given_, made, strict=True):
            (results / "runs").mkdir(parents=True)
            for state, seed, seconds, step in own:
                put(results, state, seed=seed, seconds=seconds, step=6 if state == "done" else step)
            put_yardsticks(results, fid=len(own))
        before, found = tree(root), []
        for number, order in enumerate(permutations(given_)):
            into = root / f"into-{number}"
            assert merge(order, into).complete
            found.append(tree(into))
            assert not {Outcome.COPIED, Outcome.REPLACED} & {entry.outcome for entry in merge(order, into).entries}
            assert tree(into) == found[-1]
        assert all(each == found[0] for each in found)
        one_by_one = root / "one by one"
        for results in given_:
            merge([results], one_by_one)
        assert numbers(one_by_one) == numbers(root / "into-0")
        assert {name: text for name, text in tree(root).items() if name in before} == before
        names = {folder.name for folder in (one_by_one / "runs").iterdir()}
        assert names == {planned()["gn", seed].cell.run_id for own in made for _, seed, _, _ in own}


def test_a_run_is_copied_whole_but_for_locks_claims_and_half_written_files(places: tuple[Path, Path, Path]) -> None:
    one, _, into = places
    folder = put(one, "interrupted", step=4)
    folder.file("attempt-1").mkdir()
    folder.file("attempt-1/trace.jsonl").write_text("{}\n")
    whole = tree(one)
    folder.file("claim.7").write_text("ended\n")
    folder.file(".trace.jsonl.0.partial").touch()
    (one / "runs" / ".merge-0").mkdir()
    assert outcomes(merge([one], into)) == ["copied"]
    assert tree(into) == whole
    assert not list(into.rglob("lock"))
    assert [path.name for path in (into / "runs").iterdir()] == [folder.id]


def test_the_folder_of_a_single_run_comes_with_its_yardsticks(places: tuple[Path, Path, Path]) -> None:
    one, _, into = places
    folder, yardsticks = put(one), put_yardsticks(one)
    put(one, seed=1)
    (one / "yardsticks" / "other.json").write_text("{}")
    merge([folder.path], into)
    assert numbers(into) == {folder.id: 2.5}
    assert [path.name for path in (into / "yardsticks").iterdir()] == [yardsticks.name]


def test_copies_of_equal_numbers_are_one_whatever_their_times_and_places(places: tuple[Path, Path, Path]) -> None:
    one, other, into = places
    put(one)
    folder = put(other, seconds=3.0)
    elsewhere = {"device": "cuda", "peak_memory_bytes": 20, "cuda_graph": True, "measured_by_a_later_version": 1.0}
    folder.write_json("result.json", (folder.result() or {}) | elsewhere)
    merge([one], into)
    before = tree(into)
    assert outcomes(merge([other], into)) == ["there already"]
    assert tree(into) == before


def test_different_numbers_of_a_run_are_refused_with_both_paths_and_nothing_is_merged(
    places: tuple[Path, Path, Path],
) -> None:
    one, other, into = places
    mine, theirs = put(one, fid=2.5), put(other, fid=2.5000001)
    put(other, seed=1)
    for folders_ in ([one, other], [other, one]):
        with pytest.raises(RequestError, match=r"nothing was merged, as there are contradictions \(1\)") as refused:
            merge(folders_, into)
        for part in (str(mine.path), str(theirs.path), "fid is 2.5", "2.5000001", "fid at step 2 is", "and 1 more"):
            assert part in str(refused.value)
        assert not into.exists()


def test_every_contradiction_is_named(places: tuple[Path, Path, Path]) -> None:
    one, other, into = places
    for results, fid in ((into, 1.0), (one, 2.0), (other, 3.0)):
        put(results, fid=fid)
        put(results, seed=1, fid=fid)
        put_yardsticks(results, pictures=str(fid))
    with pytest.raises(RequestError, match=r"contradictions \(7\)") as refused:
        merge([one, other], into)
    for results in (one, other):
        assert str(refused.value).count(f"{into}/runs/gn-digits-s") == 4
        assert f"{results}/yardsticks/" in str(refused.value)


def test_a_finished_run_takes_the_place_of_an_attempt_which_is_set_aside(places: tuple[Path, Path, Path]) -> None:
    one, _, into = places
    folder = put(one, "done")
    folder.file("attempt-1").mkdir()
    target = put(into, "failed", step=4)
    failed = tree(target.path)
    assert outcomes(merge([one], into)) == ["replaced"]
    aside = tree(target.file("attempt-1"))
    assert aside == {name: text for name, text in failed.items() if name != "cell.json"}
    now = {name: text for name, text in tree(target.path).items() if not name.startswith(("attempt", "claim"))}
    assert now == tree(folder.path)
    assert target.trace()[1] is None


@pytest.mark.parametrize("moves", range(5))
def test_a_merge_that_is_killed_while_it_replaces_leaves_an_unfinished_run_and_the_next_one_ends_it(
    places: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    one, _, into = places
    put(one)
    target = put(into, "interrupted", step=4)
    left, move = [moves], shutil.move

    def killed(source: Path, place: Path) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise SystemExit
        move(source, place)

    monkeypatch.setattr(copies, "move", killed)
    if moves < 4:  # basis, log, trace, and the result
        with pytest.raises(SystemExit):
            merge([one], into)
        assert target.status() is Status.INTERRUPTED
    monkeypatch.undo()
    merge([one], into)
    assert target.status() is Status.DONE
    assert target.trace()[1] is None
    assert target.file("attempt-1/checkpoint.pt").read_bytes() == bytes([4])


def test_a_merge_that_is_killed_leaves_no_half_run_and_the_next_one_sweeps(
    places: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _, into = places
    put(one)
    left, alive = into / "runs" / ".merge-killed", into / "runs" / ".merge-alive"
    shutil.copytree(one / "runs", left)
    alive.mkdir()
    assert lipbench.merge(one, into=into, dry_run=True).count(Outcome.COPIED) == 1
    with RunFolder(alive).claimed():
        merge([one], into)
        assert not left.exists()
        assert alive.exists()


def test_a_full_disk_is_said_what_came_in_stays_whole_and_the_same_command_goes_on(
    places: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _, into = places
    first, second = put(one), put(one, seed=1)
    copy = copies.copyfileobj

    def full(source: Any, file: Any, length: int) -> None:
        if second.id in file.name and file.name.endswith("result.json"):
            raise OSError(errno.ENOSPC, "No space left on device")
        copy(source, file, length)

    monkeypatch.setattr(copies, "copyfileobj", full)
    with pytest.raises(StoreError, match="No space left on device; 1 of 2 runs have come in whole.*same command"):
        merge([one], into)
    assert [path.name for path in (into / "runs").iterdir()] == [first.id]
    monkeypatch.undo()
    assert sorted(outcomes(merge([one], into))) == ["copied", "there already"]


def test_what_is_being_worked_on_is_left_out_until_it_has_ended(places: tuple[Path, Path, Path]) -> None:
    one, other, into = places
    here, there = put(one, "interrupted"), put(other, "done", seed=1)
    held = put(into, "interrupted", seed=1)
    with here.claimed(), held.claimed():
        merged = merge([one, other], into)
    assert outcomes(merged) == ["left out", "left out"]
    assert not merged.complete
    assert str(held.path) in merged.entries[1].reason
    assert all("merge again when it has ended" in entry.reason for entry in merged.entries)
    assert outcomes(merge([one, other], into)) == ["copied", "replaced"]
    with there.claimed():  # a finished one is never written to again
        assert outcomes(merge([other], into)) == ["there already"]


def test_what_a_process_elsewhere_has_left_behind_is_merged(
    places: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holders, "WATCHED", 0.1)
    one, _, into = places
    staging = into / "runs" / ".merge-killed"
    staging.mkdir(parents=True)
    put(one, "done")
    for folder in (put(one, "interrupted", seed=1).path, put(into, "interrupted").path, staging):
        claim = folder / "claim.9"
        claim.write_text('{"host": "node5", "pid": 7, "machine": "node5", "born": "1", "token": ""}')
        os.utime(claim, (0, 0))
    assert outcomes(merge([one], into)) == ["replaced", "copied"]
    assert not staging.exists()


def test_an_unfinished_run_is_left_out_where_there_is_one(places: tuple[Path, Path, Path]) -> None:
    one, other, into = places
    put(one, "interrupted", step=4)
    put(other, "failed", step=2)
    merged = merge([other, one], into)
    assert outcomes(merged) == ["copied", "unfinished"]
    assert merged.entries[1].path.is_relative_to(other)
    assert "is as far or further" in merged.entries[1].reason
    assert "is begun" in merge([one], into).entries[0].reason
    put(one, "done", seed=1)
    put(other, "interrupted", seed=1)
    assert "is finished" in merge([one, other], into).entries[-1].reason
    assert merge([other], into).complete


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent)


DAMAGE: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "another request": ("cell.json", lambda path: path.write_text("{}"), "was changed: its digest is not the one"),
    "no request": ("cell.json", lambda path: path.unlink(), "it has no cell.json"),
    "torn result": ("result.json", lambda path: path.write_text("{"), "is damaged"),
    "no evaluations": ("trace.jsonl", lambda path: path.unlink(), "is not what the run has written"),
    "a link to a folder": ("log.txt", link, "is a link to a folder"),
    "a pipe": ("samples.png", os.mkfifo, "is no plain file"),
    "a link that leads nowhere": (
        "samples.png",
        lambda path: path.symlink_to("nowhere"),
        "cannot be read: No such file or directory; restore it",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_run_is_named_and_left_out_and_the_others_come_in(places: tuple[Path, Path, Path], kind: str) -> None:
    one, other, into = places
    damaged = put(one)
    put(one, seed=1)
    name, damage, expected = DAMAGE[kind]
    damage(damaged.file(name))
    merged = merge([one], into)
    assert sorted(outcomes(merged)) == ["copied", "left out"]
    (entry,) = [entry for entry in merged.entries if entry.outcome is Outcome.LEFT_OUT]
    assert entry.path == damaged.path
    assert expected in entry.reason
    assert not (into / "runs" / damaged.id).exists()
    put(other)
    assert outcomes(merge([one, other], into)).count("copied") == 1  # another has it whole


def test_a_copy_of_a_users_own_file_that_was_changed_is_damage(places: tuple[Path, Path, Path], make_run: Any) -> None:
    mine = places[0].parent / "mine.py"
    mine.write_text('"""Mine."""\nfrom lipbench import Method\nclass Mine(Method):\n    control = True\n')
    folder = make_run(str(mine), results="a")
    folder.file("method.py").write_text("else\n")
    assert "not the file that the run was asked with" in merge([places[0]], places[2]).entries[0].reason


def test_a_damaged_run_that_is_there_stays_and_is_named(places: tuple[Path, Path, Path]) -> None:
    one, _, into = places
    put(one)
    target = put(into)
    target.file("result.json").write_text("{")
    before = tree(into)
    (entry,) = merge([one], into).entries
    assert (entry.outcome, str(target.file("result.json")) in entry.reason) == (Outcome.LEFT_OUT, True)
    assert tree(into) == before


def test_a_run_that_changes_while_it_is_copied_is_left_out(
    places: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _, into = places
    folder = put(one, "interrupted", step=2)
    stage = copies.stage

    def going_on(copy: copies.Copy, staging: Path) -> copies.Copy:
        folder.evaluations.append({"step": 4})
        return stage(copy, staging)

    monkeypatch.setattr(copies, "stage", going_on)
    (entry,) = merge([one], into).entries
    assert (entry.outcome, entry.reason) == (
        Outcome.LEFT_OUT,
        "it was changed while it was copied; merge again",
    )
    assert not list((into / "runs").iterdir())


def test_a_run_that_another_process_makes_meanwhile_stays(
    places: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _, into = places
    put(one)
    stage = copies.stage

    def overtaken(copy: copies.Copy, staging: Path) -> copies.Copy:
        put(into, "interrupted", step=2)
        return stage(copy, staging)

    monkeypatch.setattr(copies, "stage", overtaken)
    assert "has been made by another process" in merge([one], into).entries[0].reason
    monkeypatch.undo()
    assert outcomes(merge([one], into)) == ["replaced"]


def test_yardsticks_of_other_numbers_stay_and_that_is_said(places: tuple[Path, Path, Path]) -> None:
    one, _, into = places
    put(one)
    put_yardsticks(one, fid=4.9)
    there = put_yardsticks(into, fid=4.8)
    before = there.read_bytes()
    merged = merge([one], into)
    assert there.read_bytes() == before
    assert merged.complete
    assert "has other numbers than" in merged.notes[0]
    assert str(there) in merged.notes[0]


def test_a_run_of_other_data_than_the_yardsticks_that_are_there_is_refused(places: tuple[Path, Path, Path]) -> None:
    one, _, into = places
    folder = put(one)
    there = put_yardsticks(into, pictures="another")
    with pytest.raises(RequestError, match="pictures is another and 5e5e") as refused:
        merge([one], into)
    assert str(folder.path) in str(refused.value)
    assert str(there) in str(refused.value)
    assert not (into / "runs").exists()


def test_damaged_yardsticks_are_named_and_left_out(places: tuple[Path, Path, Path]) -> None:
    one, other, into = places
    put(one)
    put(other, seed=1)
    damaged, whole = put_yardsticks(one), put_yardsticks(other)
    damaged.write_text("{")
    merged = merge([one, other], into)
    assert [entry.path for entry in merged.entries if entry.outcome is Outcome.LEFT_OUT] == [damaged]
    assert (into / "yardsticks" / whole.name).read_bytes() == whole.read_bytes()
    (into / "yardsticks" / whole.name).write_text("[]")
    put(other, seed=2)
    merged = merge([other], into)
    assert not merged.complete
    assert merged.count(Outcome.COPIED) == 1
    assert "is damaged" in merged.notes[0]


def test_a_dry_run_says_the_same_and_changes_nothing(places: tuple[Path, Path, Path]) -> None:
    one, other, into = places
    put(one)
    put(other, "interrupted", seed=1)
    before = tree(one.parent)
    said = lipbench.merge([one, other], into=into, dry_run=True)
    assert not into.exists()
    assert tree(one.parent) == before
    assert lipbench.merge([one, other], into=into).entries == said.entries
