"""Takes a user's network in: what would keep it from being copied or differentiated twice is put in another form."""

from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils import parametrizations, parametrize
from torch.nn.utils.spectral_norm import SpectralNorm, SpectralNormLoadStateDictPreHook, SpectralNormStateDictHook
from torch.nn.utils.weight_norm import WeightNorm

from lipbench.errors import RequestError
from lipbench.train.copies import copied
from lipbench.train.streams import kept


def adopt(network: nn.Module, what: str, example: Tensor) -> nn.Module:
    """The same function in a form that can be copied, saved and differentiated twice.

    What ``torch.compile`` has wrapped is unwrapped, as its backward pass cannot be differentiated, and so is
    ``nn.DataParallel``; lazy layers are given their sizes; ``nn.utils.spectral_norm`` and ``nn.utils.weight_norm``
    become the parametrisations of these names with the same numbers.

    Args:
        network: a generator or a critic, as its maker gave it; it is changed in place where that will do.
        what: ``generator`` or ``critic``, for messages.
        example: what it takes, in a batch; lazy layers draw their weights from the global random state.

    Raises:
        RequestError: a part of it was compiled by ``torch.jit``.
    """
    network = _uncompiled(network)
    for path, layer in network.named_modules():
        if isinstance(layer, torch.jit.ScriptModule):
            raise RequestError(
                f"the {what}{f', in its layer {path!r},' if path else ''} was compiled by torch.jit, so it cannot be "
                f"copied with all that belongs to it, and no method can reach its layers; expected the module itself: "
                f"leave out torch.jit.script or torch.jit.trace, the function is the same without"
            )
    if any(isinstance(weight, nn.parameter.UninitializedParameter) for weight in network.parameters()):
        training = network.training
        with torch.no_grad():
            network.eval()(example)
        network.train(training)
    for layer in list(network.modules()):
        for key, hook in list(layer._forward_pre_hooks.items()):
            if isinstance(hook, SpectralNorm | WeightNorm):
                del layer._forward_pre_hooks[key]
                with kept():  # a parametrisation draws numbers when it is registered
                    _spectral(layer, hook) if isinstance(hook, SpectralNorm) else _weight(layer, hook)
    return network


def adopt_critic(critic: nn.Module, example: Tensor) -> nn.Module:
    """`adopt`, and a copy of its points for a critic that changes them in place."""
    critic = adopt(critic, "critic", example)
    given = example.clone()
    with kept(), torch.no_grad(), suppress(Exception):  # what it may raise is for the checks to say
        copied(critic)(given)
    if not torch.equal(given, example):
        critic.register_forward_pre_hook(_on_a_copy)
    return critic


def _on_a_copy(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
    points, *others = args
    return points.clone(), *others


def _uncompiled(network: nn.Module) -> nn.Module:
    """The module itself, where ``torch.compile`` or ``nn.DataParallel`` has wrapped it or a part of it."""
    network = getattr(network, "_orig_mod", network)
    if isinstance(network, nn.DataParallel):
        network = network.module
    if network._compiled_call_impl is not None:
        network._compiled_call_impl = None
    for name, child in network.named_children():
        if (plain := _uncompiled(child)) is not child:
            setattr(network, name, plain)
    return network


class _LeftLast(parametrizations._SpectralNorm):
    """The power iteration in the order of the hook: the left singular vector comes last."""

    @torch.no_grad()
    def _power_method(self, weight_mat: Tensor, n_power_iterations: int) -> None:
        for _ in range(n_power_iterations):
            self._v = normalize(weight_mat.T @ self._u, dim=0, eps=self.eps, out=self._v)
            self._u = normalize(weight_mat @ self._v, dim=0, eps=self.eps, out=self._u)


def _spectral(layer: nn.Module, hook: SpectralNorm) -> None:
    name, weight = hook.name, getattr(layer, f"{hook.name}_orig")
    u, v = (layer.get_buffer(f"{name}_{part}") for part in "uv")
    del layer._buffers[f"{name}_u"], layer._buffers[f"{name}_v"]
    for hooks in (layer._state_dict_hooks, layer._load_state_dict_pre_hooks):
        for key, other in list(hooks.items()):
            made = getattr(other, "hook", other)
            if isinstance(made, SpectralNormStateDictHook | SpectralNormLoadStateDictPreHook) and made.fn is hook:
                del hooks[key]
    _restore(layer, name, weight, [f"{name}_orig"])
    normalised = _LeftLast(weight, hook.n_power_iterations, hook.dim, hook.eps)
    parametrize.register_parametrization(layer, name, normalised)
    if weight.ndim > 1:
        normalised._u, normalised._v = u, v


def _weight(layer: nn.Module, hook: WeightNorm) -> None:
    name = hook.name
    size, direction = (getattr(layer, f"{name}_{part}") for part in "gv")
    _restore(layer, name, nn.Parameter(hook.compute_weight(layer).detach()), [f"{name}_g", f"{name}_v"])
    parametrizations.weight_norm(layer, name, hook.dim)
    made: Any = layer.parametrizations[name]  # type: ignore[index]  # it is there by now
    made.original0, made.original1 = size, direction


def _restore(layer: nn.Module, name: str, weight: nn.Parameter, parts: list[str]) -> None:
    """Put a whole weight in place of the parts from which a hook made it."""
    for part in parts:
        del layer._parameters[part]
    vars(layer).pop(name, None)
    layer.register_parameter(name, weight)
