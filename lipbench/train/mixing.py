"""Whether a critic treats each sample by itself, and which of its layers does not."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lipbench.errors import RequestError
from lipbench.train.copies import copied, nearby
from lipbench.train.gradients.terms import values
from lipbench.train.streams import generator, seeded

EXACT, ROUNDED = 1e-12, 1e-5  # relative, in float64 and float32: what rounding may leave
FAR = 1000.0  # how far the other samples go, so that what is small at the start is seen
STREAM = "trial of mixing"


@dataclass(frozen=True)
class _Seen:
    """What a layer was given and gave for one sample."""

    name: str
    given: list[Tensor]
    gave: list[Tensor]


def check_independent(critic: nn.Module, points: Float[Tensor, "n c h w"]) -> None:
    """See that the critic treats each sample by itself, as every method that uses gradient norms needs.

    Raises:
        RequestError: the value of one sample depends on another.
    """
    culprit = mixer(critic, points)
    if culprit is not None:
        raise RequestError(
            f"the critic mixes the samples of a batch: the value of one changes with the others (by {culprit}), so a "
            f"gradient norm per sample has no meaning; expected a critic that treats each sample by itself under a "
            f"method that uses gradient norms: take this out of it (InstanceNorm, GroupNorm and LayerNorm do not mix), "
            f"or choose a method without gradient norms (wc, sn)"
        )


def mixer(critic: nn.Module, points: Float[Tensor, "n c h w"], *, training: bool = True) -> str | None:
    """The first layer by which a sample's value changes with the others, or None.

    It is tried beside the critic's own weights, as a dead layer at the start would hide it, by values, as statistics
    may be detached, and with the same random numbers.

    Args:
        critic: it is left as it is.
        points: a few; the first one or the last one stays, and the others are replaced.
        training: the mode in which it is tried.

    Returns:
        Such as ``a BatchNorm1d, layer '2'``.
    """
    rng = generator(0, STREAM)
    # What comes after the first, and what before the last.
    tried = [(kept, _others(points.detach(), kept, rng)) for kept in (0, len(points) - 1)]
    try:
        moved = nearby(critic, rng).train(training)
        return _culprit(moved, points.detach().double(), tried, EXACT)
    except Exception:  # whatever keeps a user's network from being run in float64
        moved = nearby(critic, rng, torch.float32).train(training)
        return _culprit(moved, points.detach().float(), tried, ROUNDED)


def _others(points: Tensor, kept: int, rng: torch.Generator) -> Tensor:
    others = FAR * torch.randn(points.shape, generator=rng).to(points)
    others[kept] = points[kept]
    return others


def _culprit(critic: nn.Module, points: Tensor, tried: list[tuple[int, Tensor]], tolerance: float) -> str | None:
    for kept, others in tried:
        first, second, again = (_watched(critic, batch.to(points), kept) for batch in (points, others, points))
        value, other, same = (seen[-1].gave for seen in (first, second, again))
        if not _same(value, same, tolerance):
            return None  # it differs from pass to pass anyway: nothing can be said of it
        if tolerance == EXACT and _same(value, other, tolerance):
            continue  # in float32 a layer's part may be lost to rounding by the end, and be there after some steps
        for mine, theirs in zip(first, second, strict=False):
            if _same(mine.given, theirs.given, tolerance) and not _same(mine.gave, theirs.gave, tolerance):
                return mine.name
        if not _same(value, other, tolerance):
            return first[-1].name
    return None


def _watched(critic: nn.Module, points: Tensor, kept: int) -> list[_Seen]:
    """A pass of a copy, layer by layer in the order in which they end: the innermost first, the critic itself last."""
    copy, count = copied(critic), len(points)
    seen: list[_Seen] = []
    begun: list[list[Tensor]] = []

    def begin(_: nn.Module, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        begun.append(_of_one([*args, *options.values()], kept, count))

    def end(name: str, out: object) -> None:
        seen.append(_Seen(name, begun.pop(), _of_one([out], kept, count)))

    for path, layer in copy.named_modules():
        kind = type(layer).__name__
        name = f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind}, layer {path!r}" if path else f"{kind} itself"
        layer.register_forward_pre_hook(begin, with_kwargs=True)
        layer.register_forward_hook(lambda _, args, out, name=name: end(name, out))
    with seeded(0, STREAM):
        values(copy, points)
    return seen


def _of_one(things: list[Any], kept: int, count: int) -> list[Tensor]:
    """What belongs to one sample, of tensors in lists, tuples and dictionaries, too; all where there is none."""
    found: list[Tensor] = []
    for thing in things:
        if isinstance(thing, Tensor):
            found.append((thing[kept] if thing.dim() and len(thing) == count else thing).detach().clone())
        elif isinstance(thing, list | tuple):
            found += _of_one(list(thing), kept, count)
        elif isinstance(thing, dict):
            found += _of_one(list(thing.values()), kept, count)
    return found


def _close(mine: Tensor, other: Tensor, tolerance: float) -> bool:
    size = float(mine.nan_to_num().abs().max()) if mine.numel() else 0.0
    return torch.allclose(mine, other, rtol=0, atol=tolerance * max(1e-300, size), equal_nan=True)


def _same(mine: list[Tensor], other: list[Tensor], tolerance: float) -> bool:
    return len(mine) == len(other) and all(
        one.shape == two.shape and _close(one.double(), two.double(), tolerance)
        for one, two in zip(mine, other, strict=True)
    )
