"""What a run costs: seconds of training and of evaluation, over all resumes, and the peak memory of training."""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import torch

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")  # of Linux


@dataclass
class Meter:
    """Counts for one run.

    Attributes:
        step_seconds: the mean seconds a step of each stretch that was timed.
    """

    seconds_train: float = 0.0
    seconds_evaluate: float = 0.0
    peak_memory_bytes: int = 0
    step_seconds: list[float] = field(default_factory=list)

    @contextmanager
    def training(self, step: Callable[[], int], device: torch.device) -> Iterator[None]:
        """Time the steps of a block. What is read from the device at its end makes the clock wait for it.

        Args:
            step: gives the number of steps made so far.
            device: where they are made.
        """
        _forget_peak(device)
        start, first = time.perf_counter(), step()
        yield
        seconds = time.perf_counter() - start
        self.seconds_train += seconds
        self.step_seconds.append(seconds / (step() - first))
        self.peak_memory_bytes = max(self.peak_memory_bytes, _peak(device))

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Time an evaluation."""
        start = time.perf_counter()
        yield
        self.seconds_evaluate += time.perf_counter() - start

    def costs(self) -> dict[str, float]:
        """The columns of ``runs.csv``; a step's seconds are the median over stretches."""
        return {
            "seconds_train": self.seconds_train,
            "seconds_per_step": median(self.step_seconds) if self.step_seconds else float("nan"),
            "seconds_evaluate": self.seconds_evaluate,
            "peak_memory_bytes": self.peak_memory_bytes,
        }


def _forget_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        with suppress(OSError):  # where there is none, or nobody may, evaluations count as well
            RESET.write_text("5")


def _peak(device: torch.device) -> int:
    """The largest memory in use since it was forgotten, in bytes."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    with suppress(OSError):
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
