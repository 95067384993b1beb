"""What a run costs: seconds of training and of evaluation, over all resumes, and peak memory."""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import torch


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
        start, first = time.perf_counter(), step()
        yield
        seconds = time.perf_counter() - start
        self.seconds_train += seconds
        self.step_seconds.append(seconds / (step() - first))
        self._remember_peak(device)

    @contextmanager
    def evaluating(self, device: torch.device) -> Iterator[None]:
        """Time an evaluation."""
        start = time.perf_counter()
        yield
        self.seconds_evaluate += time.perf_counter() - start
        self._remember_peak(device)

    def _remember_peak(self, device: torch.device) -> None:
        if device.type == "cuda":
            peak = torch.cuda.max_memory_allocated(device)
        else:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        self.peak_memory_bytes = max(self.peak_memory_bytes, peak)

    def costs(self) -> dict[str, float]:
        """The columns of ``runs.csv``; a step's seconds are the median over stretches."""
        return {
            "seconds_train": self.seconds_train,
            "seconds_per_step": median(self.step_seconds) if self.step_seconds else float("nan"),
            "seconds_evaluate": self.seconds_evaluate,
            "peak_memory_bytes": self.peak_memory_bytes,
        }
