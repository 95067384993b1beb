"""What can be said of a critic without training it: the steepest slope found, and the bound proven."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lipbench.errors import LipbenchError, RequestError
from lipbench.measures._slopes import DISTANCES, UNDECIDED, continuity
from lipbench.measuring import critic as measuring
from lipbench.measuring.bounds import JUMPS, Bound, beside, bound
from lipbench.measuring.course import Course, course
from lipbench.measuring.functions import Score, of_critic
from lipbench.plugins.explain import explain
from lipbench.tools.critics import FEW, Flat, Shape, by_default, is_exact, take
from lipbench.train.copies import copied
from lipbench.train.streams import generator, kept
from lipbench.version import VERSION

Record = dict[str, Any]
SEGMENTS, DRAWN = 8, 4  # segments that are searched for secants, and of which one is drawn
PROVEN = "continuous"
ROUNDING = 1e-9  # of a slope: what float64 may have added to it at a distance of .001


@dataclass(frozen=True)
class Subject:
    """A critic, and where it is looked at.

    Attributes:
        name: as it was asked for.
        critic: it is left as it is.
        shape: of a point.
        points: what the points are, in words.
        places: points by the name of their place, (n, c, h, w): two from which segments lead to one another, and more.
        score: of value and gradient norm; None where the raw value is the score.
        method: whose score it is.
        weights: the file of its weights, if they were read from one.
        notes: what a reader must know.
        files: the user's own files, for messages.
    """

    name: str
    critic: nn.Module
    shape: Shape
    points: str
    places: dict[str, Float[Tensor, "n c h w"]]
    score: Score | None = None
    method: str | None = None
    weights: str | None = None
    notes: tuple[str, ...] = ()
    files: Mapping[Path, Path] = field(default_factory=dict)


def audit(subject: Subject, seed: int, device: torch.device) -> Record:
    """Measure and prove; the same record for the same seed, times aside.

    Args:
        subject: the critic.
        seed: of the points between the places.
        device: where to compute.

    Returns:
        As of `lipbench.audit`.

    Raises:
        RequestError: the critic is no function of a point in one number, or gives none that is finite.
    """
    begun = time.perf_counter()
    places = {name: points.to(device) for name, points in subject.places.items()}
    with kept():
        with explained(
            subject,
            f"with {subject.points}, of shape {tuple(subject.shape)}",
            "a critic that takes points of this shape, and that can be copied: give another shape, or data of its "
            "size, as by folder[path=…,size=32]",
        ):
            critic, notes = take(subject.critic, next(iter(places.values()))[:FEW], device)
        with explained(subject, "while it is measured", "a critic that can be differentiated"):
            proof = bound(critic, subject.shape)
            found, whole = _measured(critic, subject, places, seed)
    drawn = 0.0 if whole is None else whole.secant
    raw = _slopes(found, "raw_", 0.0 if subject.score else drawn, proof)
    scored = None
    if subject.score is not None:
        scored = _slopes(found, "", drawn, Bound(None, JUMPS))
    return {
        "subject": subject.name,
        "weights": subject.weights,
        "method": subject.method,
        "shape": list(subject.shape),
        "parameters": sum(weight.numel() for weight in critic.parameters()),
        "points": subject.points,
        "count": len(next(iter(places.values()))),
        "seed": seed,
        "layers": [{**asdict(layer), "name": _own(critic, layer.name)} for layer in proof.layers],
        "critic": raw,
        "score": scored,
        "segment": None if whole is None else _drawn(whole, *list(places)[:2]),
        "notes": [*subject.notes, *notes, *found["notes"], *proof.notes],
        "device": str(device),
        "lipbench": VERSION,
        "torch": torch.__version__,
        "seconds": time.perf_counter() - begun,
        "seconds_bound": proof.seconds,
    }


@contextmanager
def explained(subject: Subject, doing: str, expected: str) -> Iterator[None]:
    """Make a message of whatever the user's code raises."""
    try:
        yield
    except LipbenchError:
        raise
    except Exception as error:
        said = explain(error, subject.files)
        raise RequestError(f"critic {subject.name} fails {doing}: {said}; expected {expected}") from error


def _measured(
    critic: nn.Module, subject: Subject, places: dict[str, Tensor], seed: int
) -> tuple[Record, Course | None]:
    """Gradient norms and secants by the names of `measuring.examine`, and the score along a segment."""
    first, second, *more = places
    real, fake = places[first], places[second]
    mixed = measuring.interpolate(real, fake, generator(seed, "audited points", device=real.device))
    by_place = {"real": real, "fake": fake, "interpolated": mixed}
    names = {"real": first, "fake": second, "interpolated": "mixed", **{name: name for name in more}}
    exact = copied(critic).double()
    wide = {name: points.double() for name, points in by_place.items()}
    further = {name: places[name].double() for name in more}
    found: Record = {"names": names, "notes": []}
    try:
        with by_default(torch.float64):
            if is_exact(exact, wide["real"][:FEW]):
                found |= measuring.measure(exact, subject.score, wide)
                found |= measuring.examine(exact, subject.score, wide, further, SEGMENTS)
                return found, course(of_critic(exact, subject.score), wide["real"][:DRAWN], wide["fake"][:DRAWN])
        found |= measuring.measure(critic, subject.score, by_place)
    except measuring.NotFiniteError as error:
        raise RequestError(
            f"critic {subject.name}: {error}; expected finite numbers at {subject.points}: look for a division by 0, "
            f"or a logarithm or square root of what may be 0"
        ) from None
    found["notes"].append(
        "The critic cannot be run in float64, so there are no secants at small distances, and what was found is "
        "rounded to float32."
    )
    return found, None


def _slopes(found: Record, prefix: str, drawn: float, proof: Bound) -> Record:
    """What was found, also along the segment that is drawn, and proven of the score, or of the raw critic."""
    norms = {
        name: {key: found[f"{prefix}grad_norm_{place}_{key}"] for key in ("mean", "p95", "max")}
        for place, name in found["names"].items()
        if f"{prefix}grad_norm_{place}_max" in found
    }
    gradient = max(norm["max"] for norm in norms.values())
    secants = {at: found.get(f"{prefix}secant_{at}") for at in DISTANCES}
    known = [secant for secant in secants.values() if secant is not None]
    lower = (1 - ROUNDING) * max(gradient, drawn, found[f"{prefix}secant_pairs"], *known)
    seen = continuity(gradient, known) if known else UNDECIDED
    proof = beside(proof, lower)
    upper = proof.value
    return {
        "lower": lower,
        "upper": upper,
        "ratio": upper / lower if upper is not None and lower > 0 else None,
        "obstacle": proof.obstacle,
        "gradient_norms": norms,
        "secants": secants,
        "tv_gap": found.get(f"{prefix}tv_gap"),
        "continuity": PROVEN if upper is not None else seen,
    }


def _own(critic: nn.Module, path: str) -> str:
    """The path of a layer in the user's critic."""
    own = path.removeprefix("1").removeprefix(".") if isinstance(critic, Flat) else path
    return own or "critic"


def _drawn(whole: Course, start: str, end: str) -> Record:
    parts = {name: getattr(whole, name).tolist() for name in ("at", "value", "near_at", "near_value")}
    return {"from": start, "to": end, **parts}
