"""A method with hooks put in the place of its own: left out, or watched."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from lipbench.interfaces.method import Method, overrides
from lipbench.interfaces.plugin import parameters
from lipbench.train.streams import global_state

HOOKS = ("constrain", "project", "score", "penalty_points", "penalty", "regulariser")
TOGETHER = (("constrain",), ("project",), ("score",), ("penalty_points", "penalty"), ("regulariser",))


def own_hooks(method: Method) -> list[str]:
    """The hooks that a method defines."""
    return [hook for hook in HOOKS if overrides(method, hook)]


def variant(method: Method, hooks: dict[str, Any]) -> Method:
    """The method with other hooks, its parameters as they are."""
    kind = type(method)
    values = {name: getattr(method, name) for name in parameters(kind)}
    changed: Method = type(kind.__name__, (kind,), hooks)(**values)
    return changed


def without(method: Method, hooks: tuple[str, ...]) -> Method:
    """The method with these hooks doing nothing."""
    return variant(method, {hook: getattr(Method, hook) for hook in hooks})


@dataclass
class Watch:
    """What hooks do that they should not, by the name of the hook.

    Attributes:
        drew: the global random states that it moved.
        changed: what of that which it was given it changed in place.
    """

    drew: dict[str, set[str]] = field(default_factory=dict)
    changed: dict[str, set[str]] = field(default_factory=dict)

    def over(self, method: Method) -> Method:
        """The method, watched in all hooks but those that are there to change the critic."""
        watched = [hook for hook in own_hooks(method) if hook != "constrain"]
        return variant(method, {hook: self._around(hook, getattr(type(method), hook)) for hook in watched})

    def _around(self, hook: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        def call(method: Method, *given: Any) -> Any:
            random, before = global_state(), [_look(hook, each) for each in given]
            found = inner(method, *given)
            if moved := {_OF[name] for name, value in global_state().items() if not same(value, random[name])}:
                self.drew.setdefault(hook, set()).update(moved)
            for each, look in zip(given, before, strict=True):
                if not same(_look(hook, each), look):
                    self.changed.setdefault(hook, set()).add("the critic" if isinstance(each, nn.Module) else "a batch")
            return found

        return call


_OF = {
    "global_random": "torch",
    "global_random_cuda": "torch",
    "global_random_python": "random",
    "global_random_numpy": "numpy",
}


def _look(hook: str, given: Any) -> Any:
    """What must stay as it is of an argument."""
    if isinstance(given, nn.Module):  # buffers may move: power iteration takes a step at each pass
        weights = [] if hook == "project" else [weight.detach().clone() for weight in given.parameters()]
        return [given.training, *weights]
    return given.detach().clone() if isinstance(given, Tensor) else None


def same(mine: Any, other: Any) -> bool:
    """Whether two nested states hold the same bits, not-a-numbers included."""
    return first_difference(mine, other) is None


def first_difference(mine: Any, other: Any, path: str = "") -> str | None:
    """Where two nested states differ first, such as ``critic.0.weight``; None where they hold the same bits."""
    if isinstance(mine, Tensor) and isinstance(other, Tensor):
        equal = mine.shape == other.shape and mine.dtype == other.dtype
        return None if equal and torch.equal(_bits(mine), _bits(other)) else path
    if isinstance(mine, dict) and isinstance(other, dict):
        if mine.keys() != other.keys():
            return path
        pairs: Any = [(key, mine[key], other[key]) for key in mine]
    elif isinstance(mine, list | tuple) and isinstance(other, list | tuple):
        if len(mine) != len(other):
            return path
        pairs = zip(range(len(mine)), mine, other, strict=True)
    else:
        return None if mine == other else path
    found = (first_difference(one, two, f"{path}.{key}".removeprefix(".")) for key, one, two in pairs)
    return next((where for where in found if where is not None), None)


def _bits(values: Tensor) -> Tensor:
    return values.contiguous().flatten().view(torch.uint8)
