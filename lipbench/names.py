"""The one grammar for everything that is named: ``gp``, ``gp[weight=1]``, ``./mine.py[a=1,2]``, ``sn+gp``.

Commas inside brackets do not separate names. A value without a name of its own continues the list before it,
and a list is a sweep: ``gp[weight=1,10]`` stands for ``gp[weight=1]`` and ``gp[weight=10]``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import PurePath

from lipbench.errors import RequestError


@dataclass(frozen=True)
class Name:
    """One name with its parameters, still as text: ``Name("gp", (("weight", "1"),))``."""

    base: str
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def is_path(self) -> bool:
        """Whether the name is a user's own file rather than an installed plugin."""
        return self.base.endswith(".py") or "/" in self.base

    @property
    def stem(self) -> str:
        """The name without its folder and ending: ``mine`` for ``./mine.py``."""
        return PurePath(self.base).stem if self.is_path else self.base

    def __str__(self) -> str:
        inside = ",".join(f"{key}={value}" for key, value in self.parameters)
        return f"{self.base}[{inside}]" if inside else self.base


def split(text: str, separator: str) -> list[str]:
    """Split at `separator` wherever it stands outside brackets.

    Raises:
        RequestError: a bracket is not closed or not opened.
    """
    pieces, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if depth not in (0, 1):
            break
        if character == separator and depth == 0:
            pieces.append(text[start:position])
            start = position + 1
    if depth != 0:
        raise RequestError(f"{text!r} has a bracket without its partner; expected the form gp[weight=1]")
    return [piece.strip() for piece in (*pieces, text[start:])]


def expand(text: str) -> list[tuple[Name, ...]]:
    """Read one composition and its sweeps.

    Args:
        text: such as ``sn+gp[weight=1,10]``.

    Returns:
        One tuple of parts for each combination of the swept values, in the order written.

    Raises:
        RequestError: `text` does not have the form ``name[key=value,…]+…``.
    """
    return list(product(*(_expand_part(part) for part in split(text, "+"))))


def expand_all(texts: str | Iterable[str]) -> list[tuple[Name, ...]]:
    """`expand` for a comma-separated list, or for several of them; duplicates are kept once."""
    listed = [texts] if isinstance(texts, str) else texts
    found = [parts for text in listed for piece in split(text, ",") for parts in expand(piece)]
    return list(dict.fromkeys(found))


def _expand_part(text: str) -> list[Name]:
    base, bracket, inside = text.partition("[")
    if not base.strip():
        raise RequestError(f"{text!r} is not a name; expected the form gp or gp[weight=1]")
    if not bracket:
        return [Name(base)]
    if not inside.endswith("]"):
        raise RequestError(f"{text!r} goes on after its bracket; expected the form gp[weight=1]")
    values: dict[str, list[str]] = {}
    for item in inside[:-1].split(","):
        key, equals, value = (piece.strip() for piece in item.partition("="))
        if equals and key in values:
            raise RequestError(f"{text!r} gives {key} twice; write {key}={values[key][0]},{value} to sweep over both")
        if not equals:
            key, value = next(reversed(values), ""), key
        if not key or not value:
            raise RequestError(f"{item!r} in {text!r} is not a parameter; expected the form name=value")
        values.setdefault(key, []).append(value)
    return [Name(base.strip(), tuple(zip(values, chosen, strict=True))) for chosen in product(*values.values())]


def read_seeds(text: str) -> list[int]:
    """Read ``0-4`` or ``0,2,7-9`` as a list of seeds, in the order written, each once.

    Raises:
        RequestError: a piece is neither a whole number nor a rising range.
    """
    seeds: dict[int, None] = {}
    for piece in text.split(","):
        first, dash, last = (end.strip() for end in piece.partition("-"))
        ends = [first, last] if dash else [first, first]
        if not all(end.isdecimal() and len(end) < 7 for end in ends) or int(ends[0]) > int(ends[1]):
            raise RequestError(f"{piece.strip()!r} is not a seed or a range of seeds; expected the form 0-4 or 0,2,7")
        seeds.update(dict.fromkeys(range(int(ends[0]), int(ends[1]) + 1)))
    return list(seeds)
