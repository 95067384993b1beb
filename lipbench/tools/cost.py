"""What a training step of each method costs: timed in turn in one process, so that the machine's drift cancels out."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeVar

import torch
from torch import Tensor

from lipbench.errors import Diverged, RequestError
from lipbench.measuring.counters import MemoryCounter, OperationCounter
from lipbench.request.plan import Planned
from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.gradients.terms import Engine
from lipbench.train.graph import WARM
from lipbench.train.loop import Trainer
from lipbench.work.build import build_trainer
from lipbench.work.device import choose_device, wait
from lipbench.work.parts import load_pictures
from lipbench.work.stages import Stages

T = TypeVar("T")
Record = dict[str, Any]


def _one_by_one(trainer: Trainer) -> None:
    """An iteration whose kernels are launched one after another."""
    graphs, trainer.graphs = trainer.graphs, None
    try:
        trainer.advance(1)
    finally:
        trainer.graphs = graphs


PARTS: dict[str, Callable[[Trainer], object]] = {
    "critic": Trainer.critic_step,
    "generator": Trainer.generator_step,
    "iteration": _one_by_one,
    "graph": lambda trainer: trainer.advance(1),
}
CONTROL = "none"
LEVEL = 0.95


@dataclass
class _Setup:
    """One method under one engine."""

    method: str
    trainer: Trainer
    shape: tuple[int, int, int]
    stages: Stages


def measure(
    planned: Sequence[Planned],
    *,
    engines: Sequence[str],
    rounds: int,
    device: str,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Record]:
    """Time every method's critic step, generator step and whole iteration, `rounds` times in turn.

    On a CUDA device the iteration is timed as a graph, too.

    Args:
        planned: a cell a method; the control ``none`` among them.
        engines: ``three-sweep``, ``double-backward`` or both; methods without gradient norms need neither.
        rounds: how often each is timed.
        device: ``auto``, ``cpu``, ``cuda``, …
        progress: is told how many rounds are done.

    Returns:
        A record for each method, engine and part, as ``lipbench cost --json`` writes them.

    Raises:
        RequestError: a method cannot be used on these networks, or not by the engine asked for.
    """
    chosen = choose_device(device)
    setups = [setup for item in planned for setup in _setups(item, engines, chosen)]
    parts = [part for part in PARTS if part != "graph" or setups[0].trainer.graphs is not None]
    counted = {(id(setup), part): _count(setup, part) for setup in setups for part in parts}
    seconds: dict[tuple[int, str], list[float]] = {key: [] for key in counted}
    for turn in range(rounds):
        # Another one is first in each round: what comes after a pause is slower.
        for setup in setups[turn % len(setups) :] + setups[: turn % len(setups)]:
            for part in parts:
                seconds[id(setup), part].append(_time(setup.trainer, part))
        progress(turn + 1)
    control = next(setup for setup in setups if setup.method == CONTROL)
    name = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else f"cpu, {torch.get_num_threads()} threads"
    cell = planned[0].cell
    return [
        {
            "method": setup.method,
            "engine": setup.trainer.engine_name,
            "architecture": str(cell.architecture),
            "shape": list(setup.shape),
            "batch_size": cell.protocol.train.batch_size,
            "part": part,
            **_summary(seconds[id(setup), part], seconds[id(control), part]),
            "forward_equivalents": counted[id(setup), part][0],
            "peak_memory_bytes": counted[id(setup), part][1],
            "device": name,
            "precision": cell.protocol.train.precision,
            "torch": torch.__version__,
            **({"cuda_graph_reason": setup.trainer.graphs.reason} if part == "graph" and setup.trainer.graphs else {}),
        }
        for setup in setups
        for part in parts
    ]


def _setups(item: Planned, engines: Sequence[str], device: torch.device) -> list[_Setup]:
    """The method by each engine that makes a difference to it."""
    method, stages = item.cell.method, Stages(item.cell.method, {path: path for path in item.sources.values()})
    with stages.stage("making pictures", "pictures that fit into the memory"):
        pictures = load_pictures(item.cell.dataset, item.sources.__getitem__)
    found: list[_Setup] = []
    for engine in engines:
        with stages.stage("making networks", f"networks for pictures of shape {pictures.shape}"):
            trainer = build_trainer(item.cell, pictures, item.sources.__getitem__, device)
        if not trainer.composition.needs_grad_norm:
            return [_Setup(method, trainer, pictures.shape, stages)]
        if engine == DoubleBackward.name:
            trainer.engine = DoubleBackward()
        if engine == trainer.engine.name:
            found.append(_Setup(method, trainer, pictures.shape, stages))
        elif len(engines) == 1:
            raise RequestError(f"{method} cannot be run by {engine}: {trainer.engine.reason}")
    return found


def _time(trainer: Trainer, part: str) -> float:
    wait(trainer.device)
    start = time.perf_counter()
    with suppress(Diverged):  # a method without constraint may: the step took as long
        PARTS[part](trainer)
    wait(trainer.device)
    return time.perf_counter() - start


class _Counting(Engine):
    """An engine that counts the operations of the critic's passes alone."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.operations = 0

    def accumulate(self, *given: Any) -> list[Tensor]:
        return self._counted(self.engine.accumulate, *given)

    def at_points(self, *given: Any, **more: Any) -> tuple[Tensor, Tensor]:
        return self._counted(self.engine.at_points, *given, **more)

    def _counted(self, work: Callable[..., T], *given: Any, **more: Any) -> T:
        with OperationCounter() as counter:
            made = work(*given, **more)
        self.operations += counter.total
        return made


def _count(setup: _Setup, part: str) -> tuple[float | None, int]:
    """Forward-equivalents of the critic's passes (None for an iteration), and the peak of memory. Also warms up."""
    trainer, device = setup.trainer, setup.trainer.device
    counting = _Counting(trainer.engine)
    trainer.engine = counting
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    expected = f"networks that can be trained on pictures of shape {setup.shape}"
    with setup.stages.stage("making a first step", expected), MemoryCounter() as memory:
        _time(trainer, part)
    trainer.engine = counting.engine
    for _ in range(WARM + 1 if part == "graph" else 0):
        _time(trainer, part)
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else memory.peak
    if part in ("iteration", "graph"):
        return None, peak
    settings = trainer.settings
    count = 2 * settings.batch_size if part == "critic" else settings.generator_batch_size
    points = torch.zeros(count, *setup.shape, device=device)
    with torch.no_grad(), OperationCounter() as forward:
        trainer.critic(points)
    return counting.operations / forward.total, peak


def _summary(seconds: list[float], control: list[float]) -> Record:
    """The median with an interval from the order of the rounds alone, and the median of the rounds' ratios."""
    low, high = median_interval(seconds)
    ratios = [mine / theirs for mine, theirs in zip(seconds, control, strict=True)]
    return {
        "seconds": median(seconds),
        "seconds_low": low,
        "seconds_high": high,
        "ratio_to_none": median(ratios),
    }


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """An interval that holds the median with at least 95 % probability, whatever the distribution.

    The k-th smallest and k-th largest of n values miss it with probability 2·P(Binomial(n, ½) < k). Below six values
    no interval is sure enough: the smallest and the largest are given then.
    """
    from scipy.stats import binom

    ordered, n = sorted(values), len(values)
    k = max([k for k in range(1, n // 2 + 1) if 2 * binom.cdf(k - 1, n, 0.5) <= 1 - LEVEL], default=1)
    return ordered[k - 1], ordered[n - k]
