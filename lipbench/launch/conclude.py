"""What has come of a run whose process has ended: read from its folder, whatever has happened to that."""

import signal

from lipbench.disk.store import RunFolder, Status
from lipbench.errors import StoreError


def record_signal(folder: RunFolder, number: int, timeout: float | None) -> None:
    """Write that a signal has ended the run's process, unless it was finished, or another process has it by now.

    Args:
        folder: of the run.
        number: of the signal.
        timeout: the seconds after which it was stopped, where that was the reason.

    Raises:
        StoreError: it cannot be written.
    """
    with folder.lock() as mine:
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
