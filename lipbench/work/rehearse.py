"""A rehearsal: one whole step and the measurements of one evaluation, as a run makes them, before any run begins."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO

import torch
from threadpoolctl import threadpool_limits

from lipbench.errors import Diverged
from lipbench.launch.listener import Forecast
from lipbench.train.streams import EVALUATION, seeded
from lipbench.work.device import wait
from lipbench.work.job import Job
from lipbench.work.stages import Stages

STEPS, LONG = 5, 1.0  # at most so many, until they have taken so many seconds: the first one warms up


def rehearse(job: Job, stages: Stages) -> Forecast:
    """Make the first steps of a run, and measure a few points; the job cannot be trained afterwards.

    Args:
        job: a cell, built and checked.
        stages: tells and explains.

    Returns:
        What a whole run of this sort takes.

    Raises:
        RequestError: anything fails, or is not finite.
    """
    train = job.cell.protocol.train
    with threads(train.threads), seeded(job.cell.seed, "training"):
        twice = ", twice where gradient norms are seen (fused kernels, and what torch.compile has made, cannot be)"
        with stages.stage(
            "making one step of training",
            f"finite losses, and a critic that can be differentiated{twice * job.training.composition.needs_grad_norm}",
        ):
            seconds = [_step(job)]
        measuring = stages.stage("measuring the critic", "finite values and gradients at single points")
        with measuring, seeded(job.cell.seed, EVALUATION):
            evaluating = job.rehearse_evaluation()
        with suppress(Diverged):  # later than at the first step: a result, and the run's to find
            while sum(seconds) < LONG and len(seconds) < STEPS:
                seconds.append(_step(job))
    checkpoint = BytesIO()
    torch.save(job.training.state_dict(), checkpoint)
    return Forecast(train.steps * min(seconds) + evaluating, len(checkpoint.getbuffer()))


def _step(job: Job) -> float:
    begun = time.perf_counter()
    job.training.advance(1)
    wait(job.training.device)
    return time.perf_counter() - begun


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute in as many threads as the run will."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count):
            yield
    finally:
        torch.set_num_threads(before)
