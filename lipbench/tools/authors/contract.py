"""The first checks: a run accepts the method, and it treats each sample by itself."""

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench.interfaces.method import overrides
from lipbench.tools.authors.finding import Failed, NotApplicable
from lipbench.tools.authors.subject import CPU, Subject
from lipbench.tools.authors.variants import own_hooks
from lipbench.train.mixing import mixer
from lipbench.train.streams import generator
from lipbench.train.trial import COUNT, spread
from lipbench.work.check import check_critic

SAMPLES = 6  # of a batch in which one is changed
DIRECTIONS = 8  # in which it is moved
MOVED, FLAT = 1e-5, 1e-2  # relative: what rounding may leave, and what a statistic may


def accepted(subject: Subject) -> str:
    """Try every hook as before a run, and train for a few steps."""
    trainer = subject.build()
    check_critic(trainer, subject.cell, *subject.points(trainer, 4), subject.stages)
    hooks = own_hooks(subject.method)
    subject.trained  # noqa: B018 - made here, so that what it raises stands under this check
    return f"{', '.join(hooks) or 'no hook'} tried one by one, and {trainer.engine_name} gradients over a few steps"


def sample_by_sample(subject: Subject) -> str:
    """See that no sample changes what comes of another: its score, its point, the critic's value."""
    method = subject.method
    seen = []
    if overrides(method, "constrain"):
        _critic(subject)
        seen.append("the critic after constrain")
    if overrides(method, "score"):
        _score(subject)
        seen.append("score")
    if overrides(method, "penalty"):
        seen += [_points(subject), _penalty(subject)]
    if not seen:
        raise NotApplicable("the method defines neither constrain nor score nor penalty")
    return f"{', '.join(seen)}: the same alone, in a batch and in another order"


def _critic(subject: Subject) -> None:
    trainer = subject.trained.trainer
    real, _ = subject.points(trainer, SAMPLES)
    plain = mixer(subject.control.trainer.critic, real)
    if plain is None and (culprit := mixer(trainer.critic, real)):
        raise Failed(
            f"after constrain the critic's value of a sample changes with the others (by {culprit})",
            "take layers that treat each sample by itself, such as nn.GroupNorm in place of nn.BatchNorm2d",
        )


def _score(subject: Subject) -> None:
    value, norm = (numbers.detach() for numbers in spread(COUNT, CPU))
    order = torch.randperm(COUNT, generator=generator(0, "another order"))
    score, other = subject.method.score(value, norm), subject.method.score(value[order], norm[order])
    alone = torch.cat([subject.method.score(value[i : i + 1], norm[i : i + 1]) for i in range(COUNT)])
    for found, how in ((score[order], "in another order"), (alone[order], "alone")):
        lost = (~torch.isclose(found, other, rtol=1e-4, atol=1e-6)).nonzero().flatten()
        if len(lost):
            at = int(lost[0])
            raise Failed(
                f"score gives a sample {other[at]:.4g} in one batch and {found[at]:.4g} {how}",
                "compute each score from its own value and norm, without max, mean or any other sum over the batch",
            )


def _points(subject: Subject) -> str:
    """Move one sample after the other, and see which points move with it."""
    trainer = subject.trained.trainer
    batches = subject.points(trainer, SAMPLES)
    shape, rng = batches[0].shape[1:], generator(0, "moved samples")
    moves = torch.randn(DIRECTIONS, *shape, generator=rng)
    first = _point(subject, *batches)
    scaled = False
    for side, name in enumerate(("real", "generated")):
        movers = []
        for sample in range(len(batches[side])):
            changes = torch.stack([_point(subject, *_moved(batches, side, sample, move)) - first for move in moves])
            kind = _kind(changes.flatten(1), first, channels=shape[0])
            scaled |= kind == "scaled"
            movers += [sample] if kind == "moved" else []
        if len(movers) > 1:
            raise Failed(
                f"penalty_points mixes samples: its first point moves with {len(movers)} of {len(batches[side])} "
                f"{name} samples",
                "make each point from one real and one generated sample at most, without mean or sum over the batch",
            )
    return "penalty_points (but for a statistic of the batch that scales them)" if scaled else "penalty_points"


def _point(subject: Subject, real: Tensor, fake: Tensor) -> Float[Tensor, "c h w"]:
    points = subject.method.penalty_points(real, fake, generator(0, "penalty points"))
    assert points is not None  # or the method were not accepted
    return points.detach()[0].clone()


def _moved(batches: tuple[Tensor, Tensor], side: int, sample: int, move: Tensor) -> tuple[Tensor, Tensor]:
    real, fake = (batch.clone() for batch in batches)
    (real, fake)[side][sample] += move
    return real, fake


def _kind(changes: Float[Tensor, "k d"], point: Tensor, channels: int) -> str:
    """Whether a point stays, is moved, or is scaled alone: along one direction a channel, whatever the move."""
    if changes.abs().max() <= MOVED * point.abs().max().clamp_min(1.0):
        return "stays"
    sizes = torch.linalg.svdvals(changes.double())
    return "scaled" if bool((sizes[channels:] <= FLAT * sizes[0]).all()) and len(sizes) > channels else "moved"


def _penalty(subject: Subject) -> str:
    value, norm = (numbers.detach() for numbers in spread(COUNT, CPU))
    real, fake = subject.points(subject.trained.trainer, SAMPLES)
    points = subject.method.penalty_points(real, fake, generator(0, "penalty points"))
    if points is None or len(points) != len(real):
        return "penalty (whose points come in groups)"
    order = torch.randperm(COUNT, generator=generator(0, "another order"))
    penalty, other = subject.method.penalty(value, norm), subject.method.penalty(value[order], norm[order])
    if not torch.isclose(penalty, other, rtol=1e-4):
        raise Failed(
            f"penalty is {float(penalty):.4g}, and {float(other):.4g} for the same samples in another order",
            "make of each sample's value and norm a number, and end with their mean",
        )
    return "penalty"


def leaves_alone(subject: Subject) -> str:
    """See that no hook changes in place what it is given."""
    for hook, things in subject.trained.watch.changed.items():
        raise Failed(
            f"{hook} changes {' and '.join(sorted(things))} in place",
            "leave it as it was: clone() before functions that end with an underscore",
        )
    if not own_hooks(subject.method):
        raise NotApplicable("the method defines no hook")
    return "no hook changes in place the samples, values and weights that it is given"
