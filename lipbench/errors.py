"""Every error that a user can cause.

    LipbenchError
    ├── RequestError      the request is wrong; nothing was started
    │   ├── UnknownNameError  … a name that is not known
    │   └── PluginError       … a user's file that cannot be used
    ├── StoreError        a run folder or results folder is missing, damaged or not writable
    └── Diverged          a loss became NaN or infinite: a result, not a failure

A message gives the value, what was expected, and the cure.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class LipbenchError(Exception):
    """The base of every error that lipbench raises on purpose."""


class RequestError(LipbenchError):
    """The request is wrong; nothing was started."""


class UnknownNameError(RequestError):
    """A name that is not known.

    Args:
        kind: what was named, such as ``"method"``.
        value: the name that was given.
        known: the names that exist.
        cure: the command or step that helps.
    """

    def __init__(self, kind: str, value: str, known: Iterable[str], cure: str) -> None:
        names = sorted(known)
        near = get_close_matches(value, names, n=1, cutoff=0.5)  # names of methods are short
        meant = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"unknown {kind} {value!r}; expected one of: {', '.join(names) or 'none'}.{meant} {cure}")


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
