"""From what is asked for to a critic and points: a function in a file, a shared network, or a module."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from lipbench.errors import LipbenchError, RequestError
from lipbench.interfaces.dataset import Pictures, to_unit
from lipbench.interfaces.distribution import Distribution
from lipbench.interfaces.method import overrides
from lipbench.measuring.critic import uniform
from lipbench.plugins import registry
from lipbench.plugins.kinds import DATASET, METHOD
from lipbench.plugins.names import expand_all
from lipbench.request.named import read_one
from lipbench.tools.audit import Subject
from lipbench.tools.critics import Shape
from lipbench.tools.makers import Maker, usual_shape
from lipbench.tools.weights import load_weights
from lipbench.train.composition import Composition
from lipbench.train.streams import generator
from lipbench.work.parts import load_data

LEAST = 2  # points at a place
SPAN = 2.0  # of uniform noise, from −1 to 1
NOISE = "uniform noise in [−1, 1]"
Places = dict[str, Tensor]


def of_maker(
    maker: Maker, weights: Path | None, data: str | None, shape: Shape | None, count: int, seed: int
) -> Subject:
    """A critic from a function or class of the user's, or a shared one.

    Args:
        maker: makes it.
        weights: a file of its weights; as it was made if None.
        data: the name of a data set; noise if None.
        shape: of a point, where there is no data; a usual one if None.
        count: points at each place, at most.
        seed: of all that is drawn.

    Raises:
        RequestError: something cannot be made or found, or does not fit together.
    """
    notes: list[str] = []
    if data is not None:
        points, places, notes = of_data(data, shape, count, seed)
    else:
        if shape is None:
            shape = usual_shape(maker, seed)
            notes = [f"The shape of a point was not given; {'×'.join(map(str, shape))} was taken: --shape, or --data."]
        points, places = NOISE, _noise(shape, count, seed)
    found = shape_of(next(iter(places.values())))
    critic = maker.make(found, seed)
    if weights is None:
        notes.append("The critic has the weights with which it is made; others are given by --weights.")
        return Subject(maker.name, critic, found, points, places, notes=tuple(notes), files=maker.files)
    place = load_weights(critic, weights)
    source = f"{weights} ({place})" if place else str(weights)
    return Subject(maker.name, critic, found, points, places, weights=source, notes=tuple(notes), files=maker.files)


def of_module(
    critic: nn.Module, points: Tensor | None, data: str | None, shape: Shape | None, count: int, seed: int
) -> Subject:
    """A critic in memory.

    Args:
        critic: it is left as it is.
        points: real points, (n, c, h, w) or (n, dim), floats or bytes; those of `data` if None.
        data: as of `of_maker`.
        shape: of a point, where there is neither.
        count: points at each place, at most.
        seed: of all that is drawn.

    Raises:
        RequestError: the points are none, or are not known.
    """
    notes: list[str] = []
    if points is not None:
        real = _four(points)
        places = {"real": real, "noise": uniform(real, generator(seed, "audited noise"))}
        text = "the points that were given and noise in their range"
    elif data is not None:
        text, places, notes = of_data(data, shape, count, seed)
    elif shape is not None:
        text, places = NOISE, _noise(shape, count, seed)
    else:
        raise RequestError(
            "there are no points for the critic; expected some of shape (n, c, h, w), as in "
            "lipbench.audit(critic, points), or the name of data, or a shape"
        )
    name = type(critic).__name__
    return Subject(name, critic, shape_of(next(iter(places.values()))), text, places, notes=tuple(notes))


def of_data(data: str, shape: Shape | None, count: int, seed: int) -> tuple[str, Places, list[str]]:
    """Points of a data set and what they are: held-out pictures and noise, or both distributions of a pair.

    Raises:
        RequestError: it is not known or cannot be loaded, or has points of another shape than was asked for.
    """
    resolved = read_one(DATASET, data)
    found = load_data(resolved.part, resolved.sources.__getitem__)
    notes: list[str] = []
    if isinstance(found, Pictures):
        pictures = found.held_out if len(found.held_out) >= count else found.split("all")
        order = torch.randperm(len(pictures), generator=generator(seed, "audited pictures"))
        real = to_unit(pictures[order[:count]])
        other = {"noise": uniform(real, generator(seed, "audited noise"))}
        kind = "held-out pictures" if pictures is found.held_out else "pictures"
        text, notes = f"{kind} of {resolved.part} and noise in their range", list(found.notes)
    elif isinstance(found, Distribution):
        real = found.sample(count, generator(seed, "audited points"))
        other = {"noise": uniform(real, generator(seed, "audited noise"))}
        text = f"points of {resolved.part} and noise in their range"
    else:
        real, fake = found.sample(count, generator(seed, "audited pair"))
        other, text = {"fake": fake}, f"both distributions of {resolved.part}"
    if shape is not None and shape_of(real) != shape:
        asked, there = ("×".join(map(str, each)) for each in (shape, shape_of(real)))
        raise RequestError(f"shape {asked} is asked for, and points of {data} are {there}; leave the shape out")
    return text, {"real": real, **other}, notes


def with_score(subject: Subject, text: str) -> Subject:
    """The subject under the score of a method, such as ``gn``.

    Raises:
        RequestError: there is no such method, or it has no score of its own.
    """
    named = expand_all(text)
    if len(named) != 1 or len(named[0]) != 1:
        raise RequestError(f"--score names {text!r}; expected one method, such as gn")
    resolved = registry.resolve(METHOD, named[0][0])
    method = registry.create(METHOD, resolved.part, resolved.sources.__getitem__)
    if not overrides(method, "score"):
        known = [name for name, places in registry.installed(METHOD).items() if _has_score(places[0])]
        raise RequestError(
            f"method {text} has no score of its own: it leaves the critic's value as it is, and what else it does is "
            f"in the weights; expected one that has, {', '.join(known)}, or leave --score out"
        )
    files: Mapping[Path, Path] = {**subject.files, **{path: path for path in resolved.sources.values()}}
    return replace(subject, score=Composition((method,)).measured_score, method=str(resolved.part), files=files)


def _has_score(found: registry.Found) -> bool:
    try:
        return "score" in found.card.hooks
    except LipbenchError:  # said where it is asked for
        return False


def _noise(shape: Shape, count: int, seed: int) -> Places:
    """Two draws: segments lead from one to the other."""
    drawn = [
        SPAN * torch.rand(count, *shape, generator=generator(seed, "audited noise", part)) - SPAN / 2
        for part in range(2)
    ]
    return dict(zip(("noise", "other noise"), drawn, strict=True))


def _four(points: Tensor) -> Tensor:
    if points.dim() not in (2, 4) or len(points) < LEAST or not points.numel():
        raise RequestError(
            f"points have the shape {tuple(points.shape)}; expected (n, c, h, w), or (n, dim) of points that are no "
            f"pictures, with n of at least {LEAST}"
        )
    real = points.detach().cpu()
    real = to_unit(real) if real.dtype == torch.uint8 else real.float()
    if not real.isfinite().all():
        raise RequestError("some points are NaN or infinite; expected finite numbers")
    return real if real.dim() == 4 else real[:, :, None, None]


def shape_of(points: Tensor) -> Shape:
    """The shape of one of these."""
    channels, height, width = points.shape[1:]
    return channels, height, width
