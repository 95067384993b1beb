"""What the guarantee of a method measures as, after a short training."""

import time

import torch
from torch import nn

from lipbench.errors import Diverged
from lipbench.measuring.bounds import bound, proven
from lipbench.measuring.critic import examine, interpolate, measure, not_measurable, settled
from lipbench.measuring.functions import Score
from lipbench.tools.authors.finding import Failed, NotApplicable
from lipbench.tools.authors.subject import Subject
from lipbench.train.copies import copied
from lipbench.train.loop import Trainer
from lipbench.train.streams import generator, seeded

POINTS, SEGMENTS = 96, 8  # of each sort, and of those searched for secants
ROUNDING = 1e-3  # relative, beyond a target
LARGER = 10.0  # times the weights: what holds by construction holds of these, too
_ALMOST = ("grad_norm_max",)
_CERTIFIED = ("grad_norm_max", "secant_max", "grad_norm_larger", "lipschitz_bound", "lipschitz_bound_larger")
_WORDS = {
    "grad_norm_max": "a gradient norm",
    "secant_max": "a secant",
    "grad_norm_larger": f"a gradient norm, with weights {LARGER:g} times as large,",
    "lipschitz_bound": "the proven bound",
    "lipschitz_bound_larger": f"the proven bound, with weights {LARGER:g} times as large,",
}
_MEND = {"certified": "the constraint of the layers", "almost everywhere": "the score"}


def keeps_its_promise(subject: Subject) -> tuple[str, dict[str, float | None]]:
    """Train for a while, and hold what is measured against guarantee and target."""
    trainer = subject.build()
    begun = time.monotonic()
    with seeded(subject.cell.seed, "training"):
        try:
            trainer.advance(subject.steps, lambda: time.monotonic() - begun > subject.seconds)
        except Diverged as diverged:
            raise Failed(f"the training diverges: {diverged}", "try a smaller weight, or learning rate") from diverged
    guarantee, target = trainer.composition.guarantee, trainer.composition.lipschitz_target
    critic, score = settled(trainer.critic), trainer.composition.measured_score
    numbers: dict[str, float | None] = {"steps": float(trainer.step), "lipschitz_target": target}
    numbers |= _slopes(subject, trainer, critic, score)
    if guarantee == "certified":
        numbers |= _with_larger_weights(subject, trainer, score)
    numbers["lipschitz_bound"], unproven = _bound(subject, critic, score)
    seen = _said(numbers, guarantee, unproven)
    limit = target * (1 + ROUNDING)
    for name in {"certified": _CERTIFIED, "almost everywhere": _ALMOST}.get(guarantee, ()):
        found = numbers.get(name)
        if found is not None and found > limit:
            verb = "does not reach" if "bound" in name else "contradicts"
            raise Failed(
                f"{seen}: {_WORDS[name]} of {found:.4g} {verb} {guarantee!r} at {target:g}",
                f"claim what holds (guarantee = 'soft', or another lipschitz_target), or mend {_MEND[guarantee]}",
                numbers,
            )
    return seen, numbers


def _slopes(subject: Subject, trainer: Trainer, critic: nn.Module, score: Score | None) -> dict[str, float]:
    """The largest gradient norm and the largest secant that are found."""
    real, fake = subject.points(trainer, POINTS)
    mixed = interpolate(real, fake, generator(subject.cell.seed, "measured points"))
    by_place = {"real": real, "fake": fake, "interpolated": mixed}
    if reason := not_measurable(critic, real, trainer.mixer):
        raise NotApplicable(reason)
    found = measure(critic, score, by_place)
    exact = examine(critic, score, by_place, {}, SEGMENTS)
    return {"grad_norm_max": found["grad_norm_max"], "secant_max": exact["secant_max"]}


def _with_larger_weights(subject: Subject, trainer: Trainer, score: Score | None) -> dict[str, float | None]:
    """Gradient norm and bound of a critic with larger weights, as training may make them."""
    larger = copied(trainer.critic)
    with torch.no_grad():
        for weight in larger.parameters():
            weight.mul_(LARGER)
    trainer.composition.project(larger)
    real, fake = subject.points(trainer, POINTS)
    critic = settled(larger)
    found = measure(critic, score, {"real": real, "fake": fake})["grad_norm_max"]
    return {"grad_norm_larger": found, "lipschitz_bound_larger": _bound(subject, critic, score)[0]}


def _bound(subject: Subject, critic: nn.Module, score: Score | None) -> tuple[float | None, str]:
    """What is proven of the score, or why nothing is."""
    found = proven(bound(critic, subject.pictures.shape), score)
    value = found["lipschitz_bound"]
    return (value, "") if isinstance(value, float) else (None, str(found["no_bound"]))


def _said(numbers: dict[str, float | None], guarantee: str, unproven: str) -> str:
    claim = "nothing" if guarantee == "none" else repr(guarantee)
    limit = numbers["lipschitz_bound"]
    proof = unproven if limit is None else f"the proven bound is {limit:.4g}"
    return (
        f"claims {claim} at {numbers['lipschitz_target']:g}; after {numbers['steps']:,.0f} steps the largest gradient "
        f"norm found is {numbers['grad_norm_max']:.4g}, the largest secant {numbers['secant_max']:.4g}; {proof}"
    )
