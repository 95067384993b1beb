"""Takes the measures that were asked for at an evaluation, and checks what they declare and give."""

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf, isfinite
from numbers import Real
from pathlib import Path
from typing import Any
from zlib import crc32

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from lipbench.errors import LipbenchError, PluginError, RequestError, near
from lipbench.interfaces.measure import Measure
from lipbench.measures import is_taken
from lipbench.measuring.functions import Score
from lipbench.plugins.explain import explain
from lipbench.train.copies import copied
from lipbench.train.gradients.terms import values, values_and_norms
from lipbench.train.streams import seeded

HOOKS = ("of_pictures", "of_features", "of_points", "of_critic")
DECLARED = ("title", "unit", "better", "low", "high", "definition")
BETTER = ("lower", "higher", "")
ROUNDING = 1e-6  # by which a value may lie beyond its bounds; it is then taken to be the bound


@dataclass(frozen=True)
class Seen:
    """What there is to measure.

    Attributes:
        seed: the run's.
        critic: settled, its score as a function of points, and held-out real and generated points; None where there is
            none that can be measured.
        pictures: generated and real ones, as bytes; None under a protocol without pictures.
        features: those of generated and real pictures; None likewise, and at an evaluation that has none.
        samples: generated and real points; None under a protocol that generates none.
    """

    seed: int
    critic: tuple[nn.Module, Callable[[Tensor], Tensor], Tensor, Tensor] | None = None
    pictures: tuple[UInt8[Tensor, "n c h w"], UInt8[Tensor, "m c h w"]] | None = None
    features: tuple[Float[Tensor, "n k"], Float[Tensor, "m k"]] | None = None
    samples: tuple[Float[Tensor, "n d 1 1"], Float[Tensor, "n d 1 1"]] | None = None


def score_at(critic: nn.Module, score: Score | None) -> Callable[[Tensor], Tensor]:
    """A critic's score as a function of points, (n, c, h, w) → (n,), that autograd can differentiate.

    Args:
        critic: settled.
        score: of value and gradient norm; None where the score is the raw value.
    """
    if score is None:
        return lambda points: values(critic, points)
    return lambda points: score(*values_and_norms(critic, points, differentiable=points.requires_grad))


def declared(measure: Measure, name: str) -> dict[str, dict[str, Any]]:
    """The columns of a measure, each with its title, unit, better, low, high and definition.

    Raises:
        PluginError: it declares what cannot be meant.
    """
    described = {key: getattr(measure, key) for key in DECLARED}
    described["definition"] = described["definition"] or _summary(type(measure))
    given = measure.columns or {name.partition("[")[0]: {"title": described["title"]}}
    described["title"] = ""  # of one column, and not of several
    if not isinstance(given, dict) or not all(isinstance(each, dict) for each in given.values()):
        raise PluginError(
            f"columns of measure {name} is {given!r}; expected a dict of each column's name and a dict of what is to "
            f"be known of it: {{'recall': {{'better': 'higher', 'low': 0, 'high': 1}}}}"
        )
    return {column: _described(name, column, described, said) for column, said in given.items()}


def take(measures: Mapping[str, Measure], seen: Seen, *, final: bool) -> dict[str, float | None]:
    """Take all measures that are due.

    Each has random numbers of its own, so that none shifts those of another or of the training.

    Args:
        measures: by their names.
        seen: what there is to measure.
        final: whether this is the end of the run.

    Returns:
        A finite number for each of their columns, or None where there is none.

    Raises:
        RequestError: a measure gives something else, fails, or needs what the protocol has not.
    """
    found: dict[str, float | None] = {}
    for name, measure in measures.items():
        if measure.final and not final:
            continue
        columns = declared(measure, name)
        for column in columns.keys() & found.keys():
            raise PluginError(
                f"two measures have a column {column}, {name} the later of them; expected one of each name: leave one "
                f"measure out"
            )
        found |= _take(measure, name, columns, seen)
    return found


def _take(measure: Measure, name: str, columns: dict[str, dict[str, Any]], seen: Seen) -> dict[str, float | None]:
    hook = _hook(measure, name)
    if hook == "of_critic":
        if seen.critic is None:
            return dict.fromkeys(columns)
        critic, *others = seen.critic
        arguments: tuple[Any, ...] = (copied(critic), *others)  # what a measure does to a copy is nobody else's
    elif hook == "of_points" and seen.samples is not None:
        arguments = seen.samples
    elif hook == "of_points" or seen.pictures is None:
        raise RequestError(
            f"measure {name} looks at {hook.removeprefix('of_')}, of which this protocol has none; expected a measure "
            f"of what it has, such as the critic (of_critic), or a protocol with "
            f"{'points, such as modes' if hook == 'of_points' else 'pictures, such as digits'}"
        )
    elif hook == "of_pictures":
        arguments = seen.pictures
    elif seen.features is None:
        return dict.fromkeys(columns)
    else:
        arguments = seen.features
    before = _contents(arguments)
    try:
        with seeded(seen.seed, f"measure {name}"), _settings_kept():
            given = getattr(measure, hook)(*arguments)
    except (LipbenchError, MemoryError, torch.OutOfMemoryError):
        raise
    except (Exception, SystemExit) as error:  # whatever a user's measure raises
        file = Path(inspect.getfile(type(measure)))
        raise PluginError(f"measure {name} fails in {hook}: {explain(error, {file: file})}") from error
    if _contents(arguments) != before:
        raise PluginError(
            f"measure {name} changes what it is given, which others look at, too; expected a measure that changes a "
            f"copy: fake = fake.clone()"
        )
    if not measure.columns:
        given = {next(iter(columns)): given}
    if not isinstance(given, Mapping) or given.keys() != columns.keys():
        what = f"a dict of {', '.join(map(str, given)) or 'nothing'}" if isinstance(given, Mapping) else _kind(given)
        raise PluginError(
            f"measure {name} gives {what}; expected a dict of each of its columns: {', '.join(columns)}, with None "
            f"where there is no number"
        )
    return {column: _number(name, column, about, given[column]) for column, about in columns.items()}


@contextmanager
def _settings_kept() -> Iterator[None]:
    """Keep what a measure sets for the whole process from the training, whose sums go by the number of threads."""
    threads, dtype, learning = torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(learning)


def _contents(arguments: tuple[Any, ...]) -> list[tuple[int, int]]:
    """What tells whether tensors were changed; those of a GPU have no views of NumPy, whose changes torch overlooks."""
    tensors = [each.detach() for each in arguments if isinstance(each, Tensor)]
    return [(each._version, 0 if each.is_cuda else crc32(each.contiguous().numpy().data)) for each in tensors]


def _number(name: str, column: str, about: dict[str, Any], value: Any) -> float | None:
    """A value as a number within its bounds."""
    if value is None:
        return None
    where = name if column == name else f"{column} of measure {name}"
    if isinstance(value, Tensor) and value.ndim == 0 and not value.is_complex() and value.dtype != torch.bool:
        value = value.item()
    if not isinstance(value, Real) or isinstance(value, bool):
        raise PluginError(
            f"{where} is {_kind(value)}; expected one number, such as x.mean(), or None where there is none"
        )
    low, high = about["low"], about["high"]
    try:
        number = float(value)
    except OverflowError:  # of a whole number of any length
        number = inf
    if not isfinite(number):
        raise PluginError(
            f"{where} is {number}; expected a finite number, or None where there is none: look for a division by 0, a "
            f"logarithm of 0 or a mean of nothing"
        )
    within = float(min(max(number, -inf if low is None else low), inf if high is None else high))
    if abs(within - number) > ROUNDING * max(1.0, abs(within)):
        raise PluginError(
            f"{where} is {number:g}; expected from {'−∞' if low is None else low} to {'∞' if high is None else high}, "
            f"as it declares by low and high: correct one of them"
        )
    return within


def _hook(measure: Measure, name: str) -> str:
    found = [hook for hook in HOOKS if getattr(type(measure), hook) is not getattr(Measure, hook)]
    if len(found) != 1:
        raise PluginError(
            f"measure {name} defines {' and '.join(found) or 'no hook'}; expected exactly one of {', '.join(HOOKS)}"
        )
    return found[0]


def _described(name: str, column: str, described: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    for key in said.keys() - set(DECLARED):
        meant = f"; did you mean {near(key, DECLARED)}?" if near(key, DECLARED) else ""
        raise PluginError(
            f"column {column} of measure {name} has {key!r}{meant}; expected some of {', '.join(DECLARED)}"
        )
    about = described | said
    about["title"] = about["title"] or column
    for key, fits, expected in (
        *((key, isinstance(about[key], str), "a text") for key in ("title", "unit", "definition")),
        ("better", about["better"] in BETTER, "'lower', 'higher' or ''"),
        *((key, _is_bound(about[key]), "a finite number, or None without one") for key in ("low", "high")),
    ):
        if not fits:
            raise PluginError(f"{key} of column {column} of measure {name} is {about[key]!r}; expected {expected}")
    if None not in (about["low"], about["high"]) and about["low"] > about["high"]:
        raise PluginError(
            f"column {column} of measure {name} reaches from low = {about['low']} to high = {about['high']}; expected "
            f"low below high"
        )
    if not re.fullmatch(r"[a-z][a-z0-9_]*", str(column)) or is_taken(column):
        has = ", which every run has already" if is_taken(str(column)) else ""
        raise PluginError(
            f"measure {name} has a column {column!r}{has}; expected a name of small letters, digits and underscores "
            f"that nothing else has, such as mode_count"
        )
    return about


def _is_bound(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value))


def _summary(of: type[Measure]) -> str:
    """The first paragraph of a file's docstring, or of its class's."""
    said = getattr(sys.modules.get(of.__module__), "__doc__", None) or of.__doc__ or ""
    return " ".join(said.split("\n\n")[0].split())


def _kind(value: Any) -> str:
    shape = f" of the shape {tuple(value.shape)}" if hasattr(value, "shape") else ""
    return f"a {type(value).__name__}{shape}"
