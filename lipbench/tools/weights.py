"""Weights of anyone's network from a file: tensors alone, nothing in it is run."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from lipbench.disk.places import expanded
from lipbench.errors import RequestError, shortened
from lipbench.plugins.explain import explain

State = dict[str, Tensor]
DEPTH = 3  # of tables within tables
NAMED = 3  # keys of a kind in a message
COUNTER = "num_batches_tracked"  # of batch normalisation, which older files lack and evaluation does not use


def load_weights(network: nn.Module, path: Path) -> str:
    """Give a network the weights in a file.

    A state_dict is found in whatever tables it lies, as under ``netD``, and behind whatever its names begin with, as
    ``module.`` of ``nn.DataParallel``.

    Args:
        network: it is changed.
        path: a file of `torch.save`, or of safetensors.

    Returns:
        Where in the file they were, such as ``netD``; empty where they are the whole of it.

    Raises:
        RequestError: the file is missing, damaged, holds code, or holds no weights of this network, or such as are not
            finite.
    """
    content = _read(path)
    own = {name: value for name, value in network.state_dict().items() if isinstance(value, Tensor)}
    needed = [name for name in own if not name.endswith(COUNTER)]
    states = {place: _cut(state, needed) for place, state in _states(content, "", DEPTH)}
    if not states:
        raise RequestError(
            f"weights {str(path)!r} hold a {type(content).__name__} without tensors by name; expected a state_dict: "
            f"torch.save(critic.state_dict(), {path.name!r})"
        )
    complaints = {place: _complaints(state, own, needed) for place, state in states.items()}
    place = min(complaints, key=lambda each: sum(map(len, complaints[each].values())))
    if any(complaints[place].values()):
        told = "; ".join(f"{what} {_listed(names)}" for what, names in complaints[place].items() if names)
        inside = f", under {place}," if place else ""
        raise RequestError(
            f"weights {str(path)!r}{inside} are not of this critic: {told}; expected the state_dict of this very one: "
            f"compare its arguments (widths, size of the pictures) with those that it was trained with"
        )
    state = states[place]
    for name, value in state.items():
        if value.is_floating_point() and (lost := int((~value.isfinite()).sum())):
            raise RequestError(
                f"weights {str(path)!r}: {lost} of {value.numel():,} numbers of {name!r} are NaN or infinite; expected "
                f"finite ones: its training had diverged by then, take a checkpoint from before"
            )
    network.load_state_dict({name: value for name, value in state.items() if name in own}, strict=False)
    return place


def _read(path: Path) -> Any:
    file = expanded(path)
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "is not there"
        raise RequestError(f"weights {str(path)!r}: the file {what}; expected the path of a state_dict's file")
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(file)
        return torch.load(file, map_location="cpu", weights_only=True)
    except ImportError:
        raise RequestError(
            f"weights {str(path)!r} are read by the package safetensors, which is not there; expected it: "
            f"pip install safetensors"
        ) from None
    except UnpicklingError as error:
        named = str(error).partition("GLOBAL ")[2].split()
        what = f" ({named[0]})" if named else ""
        raise RequestError(
            f"weights {str(path)!r} hold more than tensors{what}, which could run code, and are not opened; expected a "
            f"state_dict: where you trust the file, load it by torch.load(…, weights_only=False), and save "
            f"torch.save(critic.state_dict(), 'plain.pt')"
        ) from None
    except Exception as error:  # torch raises whatever the damage makes it trip over
        reason = shortened(explain(error, {}))
        raise RequestError(
            f"weights {str(path)!r} cannot be read ({reason}); expected a file of torch.save(critic.state_dict(), …) "
            f"or of safetensors, whole"
        ) from None


def _states(content: Any, place: str, depth: int) -> Iterator[tuple[str, State]]:
    """Every table of tensors in a file, by the keys that lead there."""
    if not isinstance(content, Mapping):
        return
    tensors = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    if tensors:
        yield place, tensors
    for key, inner in content.items() if depth else ():
        yield from _states(inner, f"{place}.{key}".removeprefix("."), depth - 1)


def _cut(state: State, needed: list[str]) -> State:
    """The table without the beginning that the network's names have in it."""
    first = next(iter(needed), "")
    beginning = max(
        (key.removesuffix(first) for key in state if key == first or key.endswith(f".{first}")),
        key=lambda each: sum(f"{each}{name}" in state for name in needed),
        default="",
    )
    return {key.removeprefix(beginning): value for key, value in state.items() if key.startswith(beginning)}


def _complaints(state: State, own: State, needed: list[str]) -> dict[str, list[str]]:
    """What keeps a table from being the network's."""
    return {
        "they lack": [name for name in needed if name not in state],
        "the critic has no": [name for name in state if name not in own],
        "of another shape are": [
            f"{name} ({_shape(state[name])} in place of {_shape(value)})"
            for name, value in own.items()
            if name in state and not is_lazy(value) and state[name].shape != value.shape
        ],
    }


def _shape(value: Tensor) -> str:
    return "×".join(map(str, value.shape)) or "a number"


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
