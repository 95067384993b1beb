"""From the trajectory of a Dirac-GAN to a word: does it converge, cycle, diverge, or stand still?"""

from collections.abc import Sequence
from math import hypot, isfinite

CONVERGES, CYCLES, DIVERGES, STUCK = "converges", "cycles", "diverges", "stuck"
END = 4  # the last part of a trajectory, one in so many, is what decides
REACHED = 0.05  # of the distance at the start: so near to the data a trajectory has converged
GROWN = 1.1  # times the largest distance in its first half: further out a trajectory diverges
MOVED = 0.05  # of its distance from 0: what moves less than this stands still


def dynamics(theta: Sequence[float], psi: Sequence[float]) -> str | None:
    """What a trajectory does at its end.

    Converges: the generator stays at the data. Stuck: both stand still elsewhere. Diverges: generator or critic moves
    away. Cycles: anything else, as it goes on moving and has not come near the data for good.

    Args:
        theta: of the generator, at evaluations in their order; the data are 0.
        psi: the slope of the critic.

    Returns:
        The word; None where there are too few evaluations.
    """
    if len(theta) < 2 * END:
        return None
    if not all(map(isfinite, (*theta, *psi))):
        return DIVERGES
    far = [hypot(*point) for point in zip(theta, psi, strict=True)]
    end, half = len(theta) - len(theta) // END, len(theta) // 2
    start = max(map(abs, theta[: len(theta) // END]))
    last = theta[end:]
    if max(map(abs, last)) <= REACHED * start:
        return CONVERGES
    if max(max(each) - min(each) for each in (last, psi[end:])) <= MOVED * max(far[end:]):
        return STUCK
    return DIVERGES if max(far[end:]) > GROWN * max(far[:half]) else CYCLES
