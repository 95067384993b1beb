"""What a run costs."""

import sys

import numpy as np
import pytest
import torch

from lipbench.work.meter import Meter

CPU = torch.device("cpu")
MIB = 2**20


def fill(mib: int) -> None:
    np.ones(mib * MIB, np.uint8).sum()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system tells the peak of the whole process alone")
def test_memory_is_that_of_training_and_not_of_what_came_before_or_of_evaluations() -> None:
    meter, steps = Meter(), iter((0, 1, 1, 2))
    fill(1000)
    with meter.training(lambda: next(steps), CPU):
        fill(100)
    first = meter.peak_memory_bytes
    with meter.evaluating():
        fill(1000)
    with meter.training(lambda: next(steps), CPU):
        fill(600)
    assert 350 * MIB < meter.peak_memory_bytes - first < 650 * MIB  # 500, and what the process itself takes or frees


def test_a_steps_seconds_are_the_median_over_stretches() -> None:
    meter = Meter(seconds_train=2.0, step_seconds=[0.1, 0.2, 0.9])
    assert meter.costs()["seconds_per_step"] == 0.2
