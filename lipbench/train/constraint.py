"""One constraint of a critic: applied, and seen to constrain."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lipbench.errors import PluginError, RequestError
from lipbench.interfaces.method import Method, overrides
from lipbench.train.copies import copied
from lipbench.train.matrices import is_normalised, matrices

OF_LAYERS = ("layerwise", "certified")  # guarantees that no matrix left free would keep


def constrain(methods: Sequence[Method], critic: nn.Module) -> tuple[nn.Module, list[str]]:
    """Apply each method's `Method.constrain`, and see that together they keep what they promise.

    Returns:
        The critic, and the matrices that neither a constraint nor a projection changes, with their shapes.

    Raises:
        PluginError: one gives no module, leaves the critic as it was, or leaves a matrix free though it promises
            something of all layers.
        RequestError: a weight is no longer finite.
    """
    constraining = [method for method in methods if overrides(method, "constrain")]
    if not constraining:
        return critic, []
    first = before = _Look.at(critic)
    for method in constraining:
        found: object = method.constrain(critic)
        name = type(method).__name__
        if not isinstance(found, nn.Module):
            raise PluginError(
                f"constrain of {name} gives {'nothing (None)' if found is None else type(found).__name__}; expected "
                f"the critic: end it with `return critic`"
            )
        if hasattr(critic, "input_shape"):
            found.input_shape = critic.input_shape
        after = _Look.at(found)
        if found is critic and after == before:
            raise PluginError(f"constrain of {name} changes nothing in this critic, {_reason(critic)}")
        _check_weights(name, before, after, found)
        critic, before = found, after
    free = [] if any(overrides(method, "project") for method in methods) else _free(first, before, critic)
    claiming = [type(method).__name__ for method in constraining if method.guarantee in OF_LAYERS]
    if free and claiming:
        raise PluginError(
            f"constrain of {' + '.join(claiming)} leaves {', '.join(free)} of this critic free, so what it promises of "
            f"all layers would be false; expected a constraint of every matrix and kernel that the critic multiplies "
            f"with, as lipbench.matrices(critic) lists them, or another guarantee"
        )
    return critic, free


@dataclass(frozen=True)
class _Look:
    """Everything of a critic that a constraint may change.

    Attributes:
        layers: the class, the number of hooks and the settings of each module, by its path.
        state: copies of all numbers.
        weights: the parameters as the layers see them in evaluation mode, by path and name.
    """

    layers: dict[str, object]
    state: dict[str, Tensor]
    weights: dict[str, Tensor]

    @classmethod
    def at(cls, critic: nn.Module) -> "_Look":
        layers: dict[str, object] = {}
        for path, layer in critic.named_modules():
            settings = sorted((key, repr(value)) for key, value in vars(layer).items() if not key.startswith("_"))
            hooks = len(layer._forward_hooks), len(layer._forward_pre_hooks)
            layers[path] = type(layer).__qualname__, hooks, settings
        copy = copied(critic).eval()  # in training mode a look at a normalised weight moves its state
        with torch.no_grad():
            weights = {
                f"{path}.{name}": getattr(layer, name)
                for path, layer in copy.named_modules()
                for name in [*layer._parameters, *getattr(layer, "parametrizations", {})]
                if getattr(layer, name) is not None
            }
        return cls(layers, dict(copy.state_dict()), weights)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Look)
            and self.layers == other.layers
            and self.state.keys() == other.state.keys()
            and all(torch.equal(value, other.state[name]) for name, value in self.state.items())
        )

    def holds(self, path: str, name: str, other: "_Look") -> bool:
        """Whether a parameter, its module, and all modules around it are the same in another look."""
        parts = path.split(".") if path else []
        around = ["", *(".".join(parts[: depth + 1]) for depth in range(len(parts)))]
        mine, others = self.weights.get(f"{path}.{name}"), other.weights.get(f"{path}.{name}")
        return (
            all(self.layers.get(one) == other.layers.get(one) for one in around)
            and mine is not None
            and others is not None
            and torch.equal(mine, others)
        )


def _reason(critic: nn.Module) -> str:
    """Why nothing was there to change, and the cure."""
    if any(is_normalised(layer, name) for layer in critic.modules() for name in getattr(layer, "parametrizations", {})):
        return (
            "whose matrices have spectral normalisation of their own, which every method of a comparison would share; "
            "expected a critic without it: take spectral_norm out of the network"
        )
    kinds = sorted({type(layer).__name__ for layer in critic.modules() if not next(layer.children(), None)})
    return (
        f"which would be trained without a constraint; expected a critic with layers that it knows (this one has "
        f"{', '.join(kinds)})"
    )


def _check_weights(name: str, before: _Look, after: _Look, critic: nn.Module) -> None:
    """See that every weight can be used from the first step on."""
    for path, layer in critic.named_modules():
        if isinstance(layer, nn.RNNBase) and hasattr(layer, "parametrizations"):
            raise RequestError(
                f"layer {path!r} is a recurrent network, which keeps its weights beside those that constrain of {name} "
                f"gives it; expected layers that use their weights at each pass, such as nn.LSTMCell or nn.GRUCell"
            )
    for key, weight in after.weights.items():
        if not weight.isfinite().all():
            path, _, parameter = key.rpartition(".")
            start = before.weights.get(key)
            zero = start is not None and not start.any()
            raise RequestError(
                f"{f'layer {path!r}' if path else 'the critic'} starts with a {parameter} "
                f"{'of zero, whose norm is 0' if zero else 'that has no norm to divide by'}, and constrain of {name} "
                f"makes it NaN before step 1; expected weights other than zero, such as by nn.init.xavier_uniform_"
            )


def _free(before: _Look, after: _Look, critic: nn.Module) -> list[str]:
    paths = {layer: path for path, layer in critic.named_modules()}
    return [
        f"{paths[layer]}.{name} ({' × '.join(map(str, getattr(layer, name).shape))})".removeprefix(".")
        for layer, name in matrices(critic)
        if after.holds(paths[layer], name, before) and not is_normalised(layer, name)
    ]
