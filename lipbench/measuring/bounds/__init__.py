"""A proven upper bound of a critic's Lipschitz constant.

What secants find is a lower bound; between the two lies the constant. The bound holds for the function that the critic
computes in evaluation mode, in exact arithmetic, for all points: it is a product of operator norms along the critic's
operations, a sum where branches meet, and better where that is cheap (`walk`).
"""

import time
from dataclasses import dataclass, field, replace
from math import isfinite

import torch
from torch import nn
from torch.nn.utils import parametrize

from lipbench.measuring.bounds.recording import Recording
from lipbench.measuring.bounds.walk import LayerBound, Walk
from lipbench.train.copies import copied
from lipbench.train.gradients.call import UnsupportedOperation
from lipbench.train.streams import generator, kept

DOUBT = 1e-3  # of a bound: a slope found so much above it refutes the proof, more than float32 explains
COUNT = 3  # points of the pass that is recorded: what mixes them is told from what does not


@dataclass(frozen=True)
class Bound:
    """What is proven of a critic.

    Attributes:
        value: its Lipschitz constant, Euclidean, is at most that; None where there is no proof.
        obstacle: the first operation that stops the proof.
        layers: the operations with weights, in the order of the pass, as far as the proof goes.
        notes: what a reader must know.
        seconds: that the proof took.
    """

    value: float | None
    obstacle: str | None = None
    layers: list[LayerBound] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


JUMPS = "the score depends on the critic's gradient norm, and where that jumps no bound is finite"


def beside(found: Bound, slope: float) -> Bound:
    """What is left of a proof beside a slope of the critic that was found: nothing, if that is steeper."""
    if found.value is None or slope <= found.value * (1 + DOUBT):
        return found
    obstacle = f"a slope of {slope:.3g} was found, and at most {found.value:.3g} proven: it does what no proof sees"
    return replace(found, value=None, obstacle=obstacle)


def proven(found: Bound, score: object) -> dict[str, float | str | None]:
    """A bound by the names that ``runs.csv`` uses.

    Args:
        found: of the raw critic.
        score: of value and gradient norm; None where the score is the raw value.
    """
    reason = found.obstacle and f"not proven: {found.obstacle}"
    return {
        "raw_lipschitz_bound": found.value,
        "lipschitz_bound": found.value if score is None else None,
        "no_bound": reason if score is None else JUMPS,
        "seconds_bound": found.seconds,
    }


def bound(critic: nn.Module, shape: tuple[int, int, int]) -> Bound:
    """Prove a bound of the raw critic.

    Args:
        critic: (n, c, h, w) → (n,) or (n, 1), treating each sample by itself; it is left as it is. Where it has power
            iterations, settle it first: the bound is of its weights as they are in evaluation mode.
        shape: channels, height and width of its points.
    """
    begun = time.perf_counter()
    walk, obstacle, value = None, None, None
    notes: list[str] = []
    try:
        exact = copied(critic).to("cpu", torch.float64).eval()
        if lost := [name for name, weight in exact.named_parameters() if not weight.isfinite().all()]:
            raise UnsupportedOperation(f"{lost[0]}, which is not finite")
        points = torch.randn(COUNT, *shape, generator=generator(0, "proof of a bound"), dtype=torch.float64)
        recording = Recording(points)
        with kept(), parametrize.cached():
            recording.record(exact)
            notes = list(recording.notes)
            walk = Walk(recording)
            value = walk.bound()
            if not isfinite(value):
                raise UnsupportedOperation("a product of norms that is larger than any number")
    except UnsupportedOperation as unknown:
        obstacle = str(unknown)
    except Exception as error:  # whatever keeps a user's critic from being copied, or run in float64
        obstacle = f"it cannot be run in float64 on a CPU ({type(error).__name__}: {str(error).partition(chr(10))[0]})"
    value = None if obstacle else value
    return Bound(value, obstacle, walk.layers if walk else [], notes, time.perf_counter() - begun)
