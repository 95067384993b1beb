"""What has come of runs: of one whose process has ended, read from its folder, and of all of a request."""

import signal
from dataclasses import dataclass, field

from lipbench.disk.store import RunFolder, Status
from lipbench.errors import StoreError


@dataclass
class Summary:
    """How the cells of one request stand at the end.

    Attributes:
        statuses: by run id, in the order of the plan.
        skipped: runs that were finished before.
        reasons: why a run failed or diverged.
        notes: what its launcher says of all of them.
    """

    statuses: dict[str, Status] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def count(self, status: Status) -> int:
        """How many runs have this status."""
        return list(self.statuses.values()).count(status)

    @property
    def complete(self) -> bool:
        """Whether every run is finished, be it as diverged, or is on its way elsewhere."""
        return all(status not in (Status.FAILED, Status.INTERRUPTED) for status in self.statuses.values())

    @property
    def standing(self) -> str:
        """What a signal has left, in words."""
        waiting, total = self.count(Status.INTERRUPTED), len(self.statuses)
        return (
            f"{waiting} of {total} runs wait, those that had begun at their checkpoints, and {total - waiting} have "
            f"ended. The same command goes on from here"
        )


def record_signal(folder: RunFolder, number: int, timeout: float | None) -> None:
    """Write that a signal has ended the run's process, unless it was finished, or another process has it by now.

    Args:
        folder: of the run.
        number: of the signal.
        timeout: the seconds after which it was stopped, where that was the reason.

    Raises:
        StoreError: it cannot be written.
    """
    with folder.claimed() as mine:
        if not mine or folder.result() is not None:
            return
        if timeout is not None:
            folder.record_failure("timeout", f"stopped after {timeout:g} s (--timeout); it goes on when run again")
            return
        hint = "; the system may have run out of memory: try fewer --jobs" if number == signal.SIGKILL else ""
        folder.record_failure("killed", f"its process was ended by signal {number}{hint}")


def conclude(folder: RunFolder) -> tuple[Status, str]:
    """How the run stands, and why where it is not done; damage of its files is a failure of it alone."""
    try:
        status = folder.status()
        error = folder.read_json("error.json") or {}
    except StoreError as damaged:
        return Status.FAILED, str(damaged)
    message = str(error.get("message", ""))
    if status in (Status.DONE, Status.DIVERGED):
        return status, message
    return Status.FAILED, message or f"its process ended without a result; {str(folder.file('log.txt'))!r} says how"
