"""What a critic really does: gradient norms and secants of its score and of the raw critic."""

from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

from lipbench.measuring.functions import Function, Score, at_points, of_critic
from lipbench.measuring.secants import between, profile, variation_gap
from lipbench.train.copies import copied
from lipbench.train.gradients.terms import Engine, gradient_norm, values, values_and_norms
from lipbench.train.operators import OperatorNorm
from lipbench.train.orthogonal import AlmostOrthogonal, OrthogonalKernel

PAIRED = 100  # points of a place among which secants are taken at every evaluation: a few per cent of its time
STEADY, FEW, PASSES = 1e-6, 16, 8  # the rounding between so many passes over so many points
SETTLED = OperatorNorm | AlmostOrthogonal | OrthogonalKernel  # they iterate by themselves, or not at all
SETTLING = 30  # power iterations: enough for the norm of a layer to stand still


class NotFiniteError(ValueError):
    """Something that was measured is infinite or no number; `what` names it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not finite")
        self.what = what


class NotExactError(ValueError):
    """A critic cannot be measured as exactly as secants at small distances need."""


class _Found(NamedTuple):
    score: Float[Tensor, " n"]
    score_norm: Float[Tensor, " n"]
    value: Float[Tensor, " n"]
    value_norm: Float[Tensor, " n"]


def settle(network: nn.Module) -> nn.Module:
    """Let a network's power iterations converge, in place; it is left in eval mode, its weights as they are.

    Spectral norm moves its buffers at each access in training mode, one step behind the weights.
    """
    network.train()
    chains = [part for part in network.modules() if isinstance(part, parametrize.ParametrizationList)]
    with torch.no_grad():
        for chain in chains:
            if isinstance(chain[0], OperatorNorm):
                chain[0].settle(chain.original)
        for chain in [chain for chain in chains if not all(isinstance(part, SETTLED) for part in chain)] * SETTLING:
            chain()
    return network.eval()


def settled(network: nn.Module) -> nn.Module:
    """A copy whose power iterations have converged, in eval mode; the network itself is left as it is."""
    return settle(copied(network)).requires_grad_(False)


def not_measurable(critic: nn.Module, points: Float[Tensor, "n c h w"], mixer: str | None) -> str | None:
    """Why a critic has neither gradient norms nor secants, or None.

    Args:
        critic: as for `is_function`.
        points: a few are taken.
        mixer: the layer by which it mixes the samples of a batch in eval mode.
    """
    if mixer is not None:
        return (
            f"the critic mixes the samples of a batch, in eval mode, too (by {mixer}), so it has neither gradient "
            f"norms nor secants of a sample"
        )
    if not is_function(critic, points):
        return (
            "the critic gives something else at each call with the same points, even in eval mode: it is no function, "
            "and has neither gradient norms nor secants"
        )
    return None


def is_function(critic: nn.Module, points: Float[Tensor, "n c h w"]) -> bool:
    """Whether the critic gives the same values at each call with the same points, up to rounding.

    A normalisation of its own may iterate at each pass, whatever the mode: it is given time, and then held.

    Args:
        critic: a settled copy; from now on what it would change at a pass is put back before the next.
        points: a few are taken.
    """
    some = points[:FEW]
    with torch.no_grad():
        if _steady(critic, some):
            return True
        for _ in range(SETTLING):
            values(critic, some)
        rest = {name: value.clone() for name, value in critic.state_dict().items()}
        values(critic, some)
        moved = {name for name, value in critic.state_dict().items() if not torch.equal(value, rest[name])}
        critic.register_forward_pre_hook(_Held({name: rest[name] for name in moved}))
        return _steady(critic, some)


def _steady(critic: nn.Module, points: Tensor) -> bool:
    first, size = values(critic, points), 0.0
    for _ in range(PASSES - 1):
        again = values(critic, points)
        size = size or float(again.nan_to_num().abs().max())
        if not torch.allclose(first, again, rtol=STEADY, atol=STEADY * size, equal_nan=True):
            return False
    return True


@dataclass
class _Held:
    """Before a pass, puts back what the pass before has changed; a copy of the critic has one of its own."""

    rest: dict[str, Tensor]

    def __call__(self, critic: nn.Module, _: object) -> None:
        state = critic.state_dict()
        for name, value in self.rest.items():
            state[name].data.copy_(value)  # a graph that has seen it needs no other value


def _measured(critic: nn.Module, score: Score | None, points: Tensor, engine: Engine | None) -> _Found:
    """Values and gradient norms of the score and of the raw critic."""
    if score is None:
        value, norm = values_and_norms(critic, points)
        return _Found(value, norm, value, norm)
    scored, gradient, value, norm = at_points(critic, score, points, engine)
    return _Found(scored, gradient_norm(gradient), value, norm)


def interpolate(
    real: Float[Tensor, "n c h w"], fake: Float[Tensor, "n c h w"], rng: torch.Generator
) -> Float[Tensor, "n c h w"]:
    """One point on each segment from a real to a fake sample."""
    mix = torch.rand(len(real), 1, 1, 1, generator=rng, device=real.device)
    return mix * real + (1 - mix) * fake


def uniform(points: Float[Tensor, "n c h w"], rng: torch.Generator) -> Float[Tensor, "n c h w"]:
    """Noise: as many points, uniform in the range of these."""
    low, high = points.amin(dim=0), points.amax(dim=0)
    return low + (high - low) * torch.rand(points.shape, generator=rng, device=points.device)


def measure(
    critic: nn.Module,
    score: Score | None,
    by_place: dict[str, Float[Tensor, "n c h w"]],
    engine: Engine | None = None,
) -> dict[str, float]:
    """Gradient norms, place by place and pooled over all, and the largest secant over pairs of the points.

    Args:
        critic: a settled copy.
        score: of value and gradient norm; None where the score is the raw value.
        by_place: points by the name of their place, as many at each.
        engine: differentiates the score; double backward, which is right for any critic, if None.

    Returns:
        ``grad_norm_mean``, ``_p50``, ``_p95`` and ``_max`` of all points pooled, ``grad_norm_real_mean`` and the like
        of one place, and ``secant_pairs``; the same with ``raw_`` before it for the raw critic.

    Raises:
        NotFiniteError: a value or a gradient is not finite.
        ValueError: the critic does not give one number a sample.
    """
    with parametrize.cached():  # the weights stay as they are: made once, not for every pass
        found = {name: _measured(critic, score, points, engine) for name, points in by_place.items()}
    points = torch.cat(list(by_place.values()))
    lost = sum(int((~torch.stack(at).isfinite()).any(dim=0).sum()) for at in found.values())
    if lost:
        raise NotFiniteError(f"the critic at {lost} of {len(points)} points")
    record: dict[str, float] = {}
    for prefix, of_score in (("", True), ("raw_", False)):
        norms = {f"_{name}": at.score_norm if of_score else at.value_norm for name, at in found.items()}
        for name, norm in {"": torch.cat(list(norms.values())), **norms}.items():
            record |= {f"{prefix}grad_norm{name}_{key}": value for key, value in quantiles(norm).items()}
    some = torch.cat([points[:PAIRED] for points in by_place.values()])
    scores = torch.cat([at.score[:PAIRED] for at in found.values()])
    raw = torch.cat([at.value[:PAIRED] for at in found.values()])
    record |= dict(zip(("secant_pairs", "raw_secant_pairs"), between(torch.stack([scores, raw]), some), strict=True))
    return record


def quantiles(norms: Float[Tensor, " n"]) -> dict[str, float]:
    """Mean, median, 95th percentile and maximum."""
    return {
        "mean": float(norms.mean()),
        "p50": float(norms.quantile(0.5)),
        "p95": float(norms.quantile(0.95)),
        "max": float(norms.max()),
    }


def examine(
    critic: nn.Module,
    score: Score | None,
    by_place: dict[str, Float[Tensor, "n c h w"]],
    more: dict[str, Float[Tensor, "m c h w"]],
    segments: int,
    engine: Engine | None = None,
) -> dict[str, float]:
    """The full measurement, for the end of a run: what `measure` says not, in float64.

    Args:
        critic: a settled copy.
        score: of value and gradient norm; None where the score is the raw value.
        by_place: as for `measure`, ``real`` and ``fake`` points among them.
        more: further places at which gradient norms are taken.
        segments: how many segments from a real to a fake point are searched for secants and jumps.
        engine: as of `measure`.

    Returns:
        ``secant_1``, ``secant_0.1``, … and the largest of them, ``secant_max``; ``tv_gap``; the gradient norms of the
        further places; ``secant_pairs`` again, without float32's rounding; the same with ``raw_`` before it for the raw
        critic.

    Raises:
        NotFiniteError: anything found is not finite.
        NotExactError: the critic cannot be run in float64.
    """
    exact = copied(critic).double()
    points = torch.cat(list(by_place.values())).double()
    try:
        values(exact, points[:2])
    except Exception as error:  # whatever a user's network does with numbers that are not float32
        raise NotExactError(f"the critic cannot be run in float64: {type(error).__name__}: {error}") from error
    record: dict[str, float] = {}
    for name, further in more.items():
        at = _measured(critic, score, further, engine)
        for prefix, norm in (("", at.score_norm), ("raw_", at.value_norm)):
            record |= {f"{prefix}grad_norm_{name}_{key}": value for key, value in quantiles(norm).items()}
    starts, ends = (by_place[name][:segments].double() for name in ("real", "fake"))
    with parametrize.cached():
        raw = _search(of_critic(exact, None), starts, ends, points)
        scored = raw if score is None else _search(of_critic(exact, score, engine), starts, ends, points)
    record |= scored | {f"raw_{key}": value for key, value in raw.items()}
    lost = [key for key, value in record.items() if not isfinite(value)]
    if lost:
        raise NotFiniteError(lost[0])
    return record


def _search(function: Function, starts: Tensor, ends: Tensor, points: Tensor) -> dict[str, float]:
    secants = profile(function, starts, ends)
    found = {f"secant_{distance:g}": secant for distance, secant in secants.items()}
    (found["secant_pairs"],) = between(function.value(points)[None], points)
    return found | {"secant_max": max(found.values()), "tv_gap": variation_gap(function, starts, ends)}
