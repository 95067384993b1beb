"""How many runs go at a time on this machine, and on which device each does."""

import os
import sys
from collections import Counter
from collections.abc import Collection, Sequence


def cores() -> int:
    """The processors that this process may use; in a job of Slurm's those of the job, though it may see others."""
    there = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    given = os.environ.get("SLURM_CPUS_ON_NODE", "")
    return min(there, int(given)) if given.isdecimal() and int(given) else there


def usual_jobs(devices: Sequence[str], threads: int) -> int:
    """How many runs go at a time where nobody says: one on each GPU, or one for each processor.

    Args:
        devices: such as ``cuda:0`` and ``cuda:1``, or ``cpu``.
        threads: of a run on a processor.
    """
    return len(devices) if devices[0] != "cpu" else max(1, cores() // threads)


def place(devices: Sequence[str], running: Collection[str]) -> str:
    """The device for one more run: that with the fewest, and of several the first.

    Args:
        devices: all that there are.
        running: the device of each run under way.
    """
    return min(devices, key=Counter(running).__getitem__)
