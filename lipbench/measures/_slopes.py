"""From slopes that were measured to words: whether a function is steep, and whether it jumps."""

import decimal
import math
from collections.abc import Sequence

DISTANCES = ["1", "0.1", "0.01", "0.001"]
# Of the largest secant from a distance of .01 to .001: tenfold across a jump, onefold within a linear piece.
LEVEL, JUMP = 1.5, 3.0
ROUNDING = 1e-3  # smaller secants at a distance of .001 may be nothing else
LIMIT = 2.0  # times the target, the Lipschitz constant at which a method aims
MARGIN = 0.1  # of the limit: so near to it, another search may end on its other side
TARGET = 1.0  # of a method that declares none

EXACT = 1e-3  # of the target, by which a proven bound may be larger: what power iterations leave

KEPT, STEEP, JUMPING, NEITHER, UNDECIDED = (
    "proven: at most {:g}",
    "steeper than {:g}",
    "jumps, no gradient above {:g} found",
    "no jump and no slope above {:g} found",
    "not decided",
)
JUMPS, LEVELLED = "jumps", "no jump found"


def verdict(gradient: float, secants: Sequence[float], target: float = TARGET, bound: float = math.nan) -> str:
    """One run's verdict.

    Args:
        gradient: the largest gradient norm.
        secants: the largest secant at each of `DISTANCES`.
        target: the Lipschitz constant at which the method aims.
        bound: proven, of the Lipschitz constant; NaN where there is none.
    """
    if bound <= target * (1 + EXACT):
        return KEPT.format(target)
    limit, continuous, slope = LIMIT * target, continuity(gradient, secants), steepest(gradient, secants)
    if slope > limit * (1 + MARGIN):
        return ("jumps, and " if continuous == JUMPS else "") + STEEP.format(limit)
    if continuous == UNDECIDED or slope > limit * (1 - MARGIN):
        return UNDECIDED
    return (JUMPING if continuous == JUMPS else NEITHER).format(limit)


def continuity(gradient: float, secants: Sequence[float]) -> str:
    """Whether a function was seen to jump: `JUMPS`, `LEVELLED` or `UNDECIDED`; arguments as of `verdict`."""
    growth = _growth(gradient, secants)
    return JUMPS if growth > JUMP else UNDECIDED if growth > LEVEL else LEVELLED


def steepest(gradient: float, secants: Sequence[float]) -> float:
    """The largest slope that was found, secants across a jump aside; arguments as of `verdict`."""
    return gradient if continuity(gradient, secants) == JUMPS else max(gradient, *secants)


def at_least(value: float) -> str:
    """A lower bound in four digits, rounded down."""
    return _digits(value, decimal.ROUND_FLOOR)


def at_most(value: float) -> str:
    """An upper bound in four digits, rounded up."""
    return _digits(value, decimal.ROUND_CEILING)


def _digits(value: float, rounding: str) -> str:
    found = decimal.Context(prec=4, rounding=rounding).create_decimal(decimal.Decimal(value))
    return f"{found.normalize():,f}" if abs(value) < 1e6 else f"{found:.3e}"


def _growth(gradient: float, secants: Sequence[float]) -> float:
    """How many times as large the secant is at the smallest distance as before it; 1 where gradients explain it."""
    longer, shorter = secants[-2:]
    if shorter <= max(ROUNDING, gradient):
        return 1.0
    return shorter / longer if longer > 0 else math.inf
