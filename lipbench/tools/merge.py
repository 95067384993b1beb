"""Brings the runs of several results folders together, refuses what contradicts, and never overwrites.

All is read and compared first. A run comes in whole: it is copied beside the others under a name that nobody reads, and
renamed, so that a merge that is killed leaves no half of one.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from lipbench.disk.results import check_results, prepare_results
from lipbench.disk.store import RunFolder
from lipbench.errors import RequestError, StoreError, together
from lipbench.interfaces.launcher import Standing
from lipbench.tools import copies, sources
from lipbench.tools.copies import Copy
from lipbench.tools.merged import Entry, Merged, Outcome
from lipbench.tools.sources import Yardsticks

Know = Callable[[Path], tuple[Mapping[str, Standing], Sequence[str]]]
STAGING = ".merge-"  # begins the name of a folder among the runs, which no reader takes for one
BUSY = "it is being worked on; merge again when it has ended"


def merge(
    folders: Sequence[Path], into: Path, standing: Know = lambda results: ({}, []), *, dry_run: bool = False
) -> Merged:
    """Bring the runs of results folders together.

    Args:
        folders: results folders, and folders of single runs.
        into: the results folder that takes them; it is made where there is none.
        standing: gives how the runs of a results folder stand that were launched and left, by their ids, and what
            keeps anyone from knowing more; what is queued is left out.
        dry_run: whether to say what would be done, and do nothing.

    Raises:
        RequestError: a folder is none of runs, or they contradict each other; nothing was changed.
        StoreError: `into` cannot be written to; what had come in stays.
    """
    sources.check(folders, into)
    check_results(into, "--into")
    plan = _Plan(into)
    for results in dict.fromkeys([*map(sources.results_of, folders), into]):
        plan.hear(results, *standing(results))
    for folder in folders:
        plan.read(folder)
    plan.compare()
    if not dry_run:
        prepare_results(into, "--into")
        plan.carry_out()
    return plan.merged


class _Plan:
    def __init__(self, into: Path) -> None:
        self.into, self.merged = into, Merged()
        self.queued: dict[Path, str] = {}  # how runs stand that wait for their turn on a cluster
        self.found: dict[str, list[Copy]] = {}
        self.yardsticks = Yardsticks(into)
        self.chosen: list[tuple[int, Copy, RunFolder | None]] = []  # the place of its entry, and what it replaces
        self.incoming: list[Path] = []  # yardsticks
        self.contradictions: list[str] = []

    def _add(self, path: Path, outcome: Outcome, reason: str = "") -> None:
        self.merged.entries.append(Entry(path, outcome, reason))

    def hear(self, results: Path, standing: Mapping[str, Standing], problems: Sequence[str]) -> None:
        """Hear how runs stand that were launched and left; arguments as what `merge` is given gives."""
        self.queued |= {results / "runs" / name: each.text for name, each in standing.items() if each.queued}
        self.merged.notes += problems

    def read(self, folder: Path) -> None:
        """Read what one folder holds; what is damaged is left out."""
        read: list[Copy] = []
        for path in sources.runs(folder):
            run = RunFolder(path)
            try:
                copy = copies.read(run)
                copies.files(run)
            except (StoreError, OSError) as error:
                self._add(path, Outcome.LEFT_OUT, _said(error))
                continue
            read.append(copy)
            self.found.setdefault(run.id, []).append(copy)
        for path in sources.yardsticks(folder, read):
            try:
                self.yardsticks.add(path)
            except StoreError as error:
                self._add(path, Outcome.LEFT_OUT, str(error))

    def compare(self) -> None:
        """Decide what is done with every copy.

        Raises:
            RequestError: copies contradict each other.
        """
        for _, each in sorted(self.found.items()):
            self._sort(sorted(each, key=lambda copy: copy.rank, reverse=True))
        agreeing = not self.yardsticks.contradictions  # else runs would say the same again
        for _, copy, _ in self.chosen if agreeing else []:
            try:
                self.yardsticks.admit(copy)
            except StoreError as error:
                self.merged.notes.append(str(error))
        self.contradictions += self.yardsticks.contradictions
        if self.contradictions:
            raise RequestError(
                "\n".join([
                    f"nothing was merged, as there are contradictions ({len(self.contradictions)}):",
                    *(f"- {text}" for text in self.contradictions),
                    "Expected equal numbers of a run, and equal data and extractors of all that is compared. Numbers "
                    "of another processor differ in late digits, and training amplifies it: keep one of two copies, or "
                    "keep the folders apart and compare them by their own reports.",
                ])
            )  # fmt: skip
        self.incoming = self.yardsticks.settle()
        self.merged.notes = list(dict.fromkeys([*self.merged.notes, *self.yardsticks.notes]))

    def _sort(self, each: list[Copy]) -> None:
        """Decide over the copies of one run, the furthest first."""
        best, target = each[0], RunFolder(self.into / "runs" / each[0].folder.id)
        there = None
        if os.path.lexists(target.path):
            try:
                there = copies.read(target)
            except (StoreError, OSError) as error:
                for copy in each:
                    self._add(copy.folder.path, Outcome.LEFT_OUT, _said(error))
                return
        reference = best if there is None or (best.finished and not there.finished) else there
        for copy in each:
            if copy is reference:
                self._take(copy, there)
            elif copy.finished:
                if wrong := copies.differing(reference, copy):
                    self.contradictions.append(
                        f"{reference.folder.path} and {copy.folder.path} are one run with different numbers: "
                        f"{together(wrong)}"
                    )
                self._add(copy.folder.path, Outcome.PRESENT)
            else:
                state = "finished" if reference.finished else "as far or further" if reference is best else "begun"
                reason = f"it is not finished, and {reference.folder.path} is {state}"
                self._add(copy.folder.path, Outcome.UNFINISHED, reason)

    def _take(self, copy: Copy, there: Copy | None) -> None:
        busy = there if there is not None else None if copy.finished else copy
        try:
            locked = busy is not None and busy.folder.is_worked_on()
        except StoreError as error:
            self._add(copy.folder.path, Outcome.LEFT_OUT, str(error))
            return
        where = "" if busy is copy or busy is None else f"{busy.folder.path}: "
        if busy is not None and locked:
            self._add(copy.folder.path, Outcome.LEFT_OUT, where + BUSY)
            return
        if busy is not None and busy.folder.path in self.queued:
            waits = f"queued: {self.queued[busy.folder.path]}; merge again when it has ended, or cancel it"
            self._add(copy.folder.path, Outcome.LEFT_OUT, where + waits)
            return
        self.chosen.append((len(self.merged.entries), copy, there.folder if there is not None else None))
        reason = "" if there is None else f"the unfinished attempt of {there.folder.path} is set aside in it"
        self._add(copy.folder.path, Outcome.COPIED if there is None else Outcome.REPLACED, reason)

    def carry_out(self) -> None:
        """Bring in what was chosen.

        Raises:
            StoreError: something cannot be written; what had come in stays.
        """
        self.yardsticks.write(self.incoming)
        done, path = 0, self.into
        try:
            with _staging(self.into / "runs") as staging:
                for place, copy, attempt in self.chosen:
                    path = copy.folder.path
                    problem = self._bring(copy, attempt, staging)
                    if problem:
                        self.merged.entries[place] = Entry(path, Outcome.LEFT_OUT, problem)
                    done += not problem
        except OSError as error:
            raise StoreError(
                f"{str(path)!r} cannot be copied into {str(self.into)!r}: {error.strerror or error}; {done} of "
                f"{len(self.chosen)} runs have come in whole and stay. Free space there or mend the disk, and give the "
                f"same command again: it takes the others"
            ) from None

    def _bring(self, copy: Copy, attempt: RunFolder | None, staging: Path) -> str:
        """Bring one run in; gives why it cannot be, where something has changed since all was read."""
        try:
            staged = copies.stage(copy, staging)
            if staged.rank != copy.rank or (not copy.finished and copy.folder.is_worked_on()):
                return "it was changed while it was copied; merge again"
        except (StoreError, FileNotFoundError) as error:
            return f"it was changed while it was copied ({error}); merge again"
        target = self.into / "runs" / copy.folder.id
        if attempt is None:
            if os.path.lexists(target):
                return f"{target} has been made by another process meanwhile; merge again"
            staged.folder.path.rename(target)
            return ""
        while attempt.holder() is not None and not attempt.is_worked_on():
            time.sleep(0.5)  # a claim from another machine is watched before it can be taken over
        with attempt.claimed() as mine:
            if not mine or attempt.result() is not None:
                return f"{target}: {BUSY}"
            copies.replace(attempt, staged.folder)
        return ""


def _said(error: StoreError | OSError) -> str:
    if isinstance(error, StoreError):
        return str(error)
    return f"{str(error.filename)!r} cannot be read: {error.strerror}; restore it, or move the folder away"


@contextmanager
def _staging(runs: Path) -> Iterator[Path]:
    """A folder for copies among the runs; those of merges that were killed are removed."""
    for left in runs.glob(f"{STAGING}*"):
        if not RunFolder(left).is_worked_on():
            shutil.rmtree(left, ignore_errors=True)
    made = runs / f"{STAGING}{token_hex(8)}"
    try:
        made.mkdir()
        with RunFolder(made).claimed():  # or another merge would take it for that of a killed one
            yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
