"""The one grammar for everything that is named: ``gp``, ``gp[weight=1]``, ``./mine.py[a=1,2]``, ``sn+gp``.

Commas inside brackets do not separate names. A value without a name of its own continues the list before it,
and a list is a sweep: ``gp[weight=1,10]`` stands for ``gp[weight=1]`` and ``gp[weight=10]``. A base or a value that
begins with a quotation mark goes on to the next such mark, whatever stands between: ``folder[path="a,b",size=32]``;
inside, the mark itself is written twice.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import PurePath

from lipbench.disk import places
from lipbench.errors import RequestError

Names = str | PurePath | Iterable[str | PurePath]

LARGEST_SEED = 2**63 - 1  # a column of whole numbers has 64 bits
MOST_SEEDS = 10_000
MOST_SEPARATORS = 16  # in a path for which several names could be taken

_OPENERS = ",[=+"  # after one of these, or at the beginning, a quotation mark opens a quoted text
_QUOTED = re.compile(r'"(?:[^"]|"")*"|\'(?:[^\']|\'\')*\'', re.DOTALL)
_NEEDS_QUOTES = re.compile(r"""[,\[\]]|(^|[=+])\s*["']""")
_HOW = """a text with commas, plus signs or brackets is quoted, as in 'folder[path="a,b",size=32]'"""


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
        return written(self.base, self.parameters)


def written(base: str, parameters: Iterable[tuple[str, str]]) -> str:
    """The text of a name, quoted where it must be: `expand` reads it back."""
    inside = ",".join(f"{key}={_quoted(value) if _must_be_quoted(value) else value}" for key, value in parameters)
    base = _quoted(base) if "+" in base or _must_be_quoted(base) else base
    return f"{base}[{inside}]" if inside else base


def unquoted(text: str) -> str:
    """The text inside the quotation marks, where the whole of `text` is quoted; else `text`."""
    found = _QUOTED.fullmatch(text.strip())
    return _inside(found) if found else text


def listed(given: Names) -> list[str]:
    """The texts of one name or of several; a path stands for itself, whatever characters it has."""
    several = [given] if isinstance(given, str | PurePath) else given
    return [written(str(item), ()) if isinstance(item, PurePath) else item for item in several]


def _must_be_quoted(text: str) -> bool:
    return not text or text != text.strip() or _NEEDS_QUOTES.search(text) is not None


def _quoted(text: str) -> str:
    mark = "'" if '"' in text and "'" not in text else '"'
    return mark + text.replace(mark, 2 * mark) + mark


def _inside(found: re.Match[str]) -> str:
    mark = found[0][0]
    return found[0][1:-1].replace(2 * mark, mark)


def split(text: str, separator: str) -> list[str]:
    """Split at `separator` wherever it stands outside brackets and quotation marks.

    Raises:
        RequestError: a bracket or a quotation mark has no partner.
    """
    pieces, depth, start = [], 0, 0
    mark, opens = "", True
    for position, character in enumerate(text):
        if mark:
            # Where the mark is written twice, its second half opens again what its first half closed.
            mark, opens = ("", True) if character == mark else (mark, False)
            continue
        if opens and character in ("'", '"'):
            mark = character
            continue
        opens = character in _OPENERS or (opens and character.isspace())
        depth += (character == "[") - (character == "]")
        if depth not in (0, 1):
            break
        if character == separator and depth == 0:
            pieces.append(text[start:position])
            start = position + 1
    if mark:
        raise RequestError(f"{text!r} has a quotation mark without its partner; expected the form path={mark}a,b{mark}")
    if depth != 0:
        raise RequestError(f"{text!r} has a bracket without its partner; expected the form gp[weight=1]; {_HOW}")
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
    parts = split(text, "+")
    _refuse_path(parts, "+", lambda whole: Name(whole).is_path)
    return list(product(*(_expand_part(part) for part in parts)))


def expand_all(names: Names) -> list[tuple[Name, ...]]:
    """`expand` for a comma-separated list, or for several of them; duplicates are kept once.

    Raises:
        RequestError: a text is not UTF-8, or `expand` refuses it.
    """
    found: list[tuple[Name, ...]] = []
    for text in listed(names):
        if re.search("[\ud800-\udfff]", text):
            raise RequestError(
                f"{text!r} holds bytes that are no text in this locale; expected UTF-8: set LC_ALL=C.UTF-8, or rename "
                f"the file"
            )
        pieces = split(text, ",")
        _refuse_path(pieces, ",", lambda whole: Name(whole).is_path)
        found += [parts for piece in pieces for parts in expand(piece)]
    return list(dict.fromkeys(found))


def _expand_part(text: str) -> list[Name]:
    found = _QUOTED.match(text)
    if found:
        base, rest = _inside(found), text[found.end() :].strip()
        _, bracket, inside = rest.partition("[")
    else:
        base, bracket, inside = text.partition("[")
        base, rest = base.strip(), bracket + inside
    if not base.strip():
        raise RequestError(f"{text!r} is not a name; expected the form gp or gp[weight=1]")
    if rest and not (rest.startswith("[") and rest.endswith("]")):
        raise RequestError(
            f"{text!r} goes on after its bracket or quotation mark; expected the form gp[weight=1]; {_HOW}"
        )
    if not rest:
        return [Name(base)]
    values = _read_values(split(inside[:-1], ","), text)
    return [Name(base, tuple(zip(values, chosen, strict=True))) for chosen in product(*values.values())]


def _read_values(items: list[str], text: str) -> dict[str, list[str]]:
    """The values of each parameter of `text`, of which several are a sweep."""
    values: dict[str, list[str]] = {}
    for item in items:
        key, equals, value = (piece.strip() for piece in item.partition("="))
        if _QUOTED.match(item):
            key, equals, value = item, "", ""
        if equals and key in values:
            raise RequestError(f"{text!r} gives {key} twice; write {key}={values[key][0]},{value} to sweep over both")
        if not equals:
            key, value = next(reversed(values), ""), key
        found = _QUOTED.match(value)
        if found and found[0] != value:
            raise RequestError(
                f"{item!r} in {text!r} goes on after its quotation mark; expected the form {key}={found[0]}"
            )
        if not key or not value:
            raise RequestError(f"{item!r} in {text!r} is not a parameter; expected the form name=value")
        values.setdefault(key, []).append(value)
    for written_values in values.values():
        _refuse_path(written_values, ",", lambda whole: any(map(str.isalpha, whole)))
    return {key: list(map(unquoted, several)) for key, several in values.items()}


def _refuse_path(pieces: list[str], separator: str, like: Callable[[str], bool]) -> None:
    """Refuse to part what is together the path of something that exists.

    Args:
        pieces: what was parted.
        separator: where.
        like: whether a text could be meant as a path.

    Raises:
        RequestError: it is.
    """
    count = len(pieces)
    ends = ((first, last) for first in range(count) for last in range(first + 1, min(count, first + MOST_SEPARATORS)))
    for first, last in ends:
        whole = separator.join([*pieces[first:last], pieces[last].partition("[")[0]])
        if like(whole) and places.exists(whole):
            raise RequestError(
                f"{whole!r} would be read as {', '.join(map(repr, pieces[first : last + 1]))}, and is the path of "
                f"something that exists; expected quotation marks: {_quoted(whole)} for the one path, or marks around "
                f"each for several"
            )


def read_seeds(text: str) -> list[int]:
    """Read ``0-4`` or ``0,2,7-9`` as a list of seeds, in the order written, each once.

    Raises:
        RequestError: a piece is neither a whole number nor a rising range, or there are too many.
    """
    seeds: dict[int, None] = {}
    for piece in text.split(","):
        first, dash, last = (end.strip() for end in piece.partition("-"))
        ends = [first, last] if dash else [first, first]
        if not all(end.isdecimal() and len(end) < 20 for end in ends) or int(ends[0]) > int(ends[1]):
            raise RequestError(f"{piece.strip()!r} is not a seed or a range of seeds; expected the form 0-4 or 0,2,7")
        seeds.update(dict.fromkeys(range(int(ends[0]), min(int(ends[1]), int(ends[0]) + MOST_SEEDS) + 1)))
        check_seeds(seeds)
    return list(seeds)


def check_seeds(seeds: Collection[int]) -> None:
    """See that there are seeds, not too many, and that a table can hold each.

    Raises:
        RequestError: it is not so.
    """
    if not 0 < len(seeds) <= MOST_SEEDS:
        count = f"more than {MOST_SEEDS:,} seeds" if seeds else "no seed"
        raise RequestError(f"the request names {count}; expected 1 to {MOST_SEEDS:,}, such as 0-4")
    for seed in seeds:
        if not 0 <= seed <= LARGEST_SEED:
            raise RequestError(f"seed {seed} is out of range; expected a whole number from 0 to {LARGEST_SEED}")
