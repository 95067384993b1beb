"""Every error that a user can cause.

    LipbenchError
    ├── RequestError      the request is wrong; nothing was started
    │   ├── UnknownNameError  … a name that is not known
    │   └── PluginError       … a user's file that cannot be used
    ├── StoreError        a run folder or results folder is missing, damaged or not writable
    └── Diverged          a loss became NaN or infinite: a result, not a failure

A message gives the value, what was expected, and the cure.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class LipbenchError(Exception):
    """The base of every error that lipbench raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # From one process to another: not made anew from the message, as some are made from other things.
        return _again, (type(self), self.args, vars(self))


def _again(kind: type[LipbenchError], args: tuple[Any, ...], attributes: dict[str, Any]) -> LipbenchError:
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(attributes)
    return error


class RequestError(LipbenchError):
    """The request is wrong; nothing was started."""


class UnknownNameError(RequestError):
    """A name that is not known.

    Args:
        kind: what was named, such as ``"method"``.
        value: the name that was given.
        known: the names that exist.
        cure: the command or step that helps.
        aliases: other names, and what they are called here.
    """

    def __init__(
        self, kind: str, value: str, known: Iterable[str], cure: str, aliases: Mapping[str, str] | None = None
    ) -> None:
        names = sorted(known)
        meant = near(value, names, aliases or {})
        did = f" Did you mean {meant!r}?" if meant else ""
        super().__init__(f"unknown {kind} {value!r}; expected one of: {', '.join(names) or 'none'}.{did} {cure}")


class PluginError(RequestError):
    """A plugin (method, dataset or architecture) that cannot be used as it is."""


class StoreError(LipbenchError):
    """A results folder or run folder that is missing, damaged or not writable."""


class Diverged(LipbenchError):  # noqa: N818 - an outcome of training, not a fault
    """A loss or a weight became NaN or infinite.

    Args:
        step: the generator step at which it happened, from 1.
        what: the quantity that is not finite.
    """

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f"{what} is not finite at step {step}")
        self.step = step


def together(complaints: Sequence[str], most: int = 3) -> str:
    """The first complaints as one text, and how many more there are."""
    more = len(complaints) - most
    told = [complaint.removesuffix(".") for complaint in complaints[:most]]
    return "; ".join([*told, *([f"and {more} more"] if more > 0 else [])])


def shortened(text: str, most: int = 100) -> str:
    """A text in one line, cut where it is too long for a message."""
    line = " ".join(text.split())
    return line if len(line) < most else f"{line[: most - 1]}…"


def near(value: str, known: Iterable[str], aliases: Mapping[str, str] | None = None) -> str | None:
    """The known name that was probably meant, if there is one.

    Args:
        value: what was given.
        known: the names that exist.
        aliases: other names, and which of those they stand for.
    """
    targets = {_plain(other): name for other, name in (aliases or {}).items()} | {_plain(name): name for name in known}
    wanted = _plain(value)
    if wanted in targets:
        return targets[wanted]
    allowed = max(1, len(wanted) // 4)
    distance, closest = min(((_edits(wanted, name), name) for name in sorted(targets)), default=(allowed + 1, ""))
    if len(wanted) > 1 and distance <= allowed:
        return targets[closest]
    longer = [name for name in sorted(targets) if len(wanted) > 2 and name.startswith(wanted)]
    return targets[longer[0]] if longer else None


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character not in "-_ ")


def _edits(one: str, other: str) -> int:
    """How many letters must be put in, taken out, replaced or swapped with the next to make one word of the other."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, opposite in enumerate(other, 1):
            row.append(min(row[-1] + 1, rows[-1][j] + 1, rows[-1][j - 1] + (letter != opposite)))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == opposite:
                row[j] = min(row[j], rows[-2][j - 2] + 1)
        rows.append(row)
    return rows[-1][-1]
