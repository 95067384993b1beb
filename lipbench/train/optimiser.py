"""Adam and plain gradient descent, by torch's quickest kernels; a step can set the rate without waiting for a GPU.

Paper: Kingma & Ba 2015, arXiv:1412.6980
"""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import SGD, Adam, Optimizer

FUSED = ("cpu", "cuda")  # the types of devices that have the kernel for all weights at once
GRAPHED = ("cuda",)  # those on which a step may be a graph


def make(weights: Iterable[Parameter], rate: float, betas: tuple[float, float], kind: str = "adam") -> Optimizer:
    """An optimiser of weights on one device: ``adam``, or ``sgd`` with the first of `betas` as its momentum.

    Where a step may be a graph, what changes from step to step (the rate, the count of steps) lies on the device.
    """
    own = list(weights)
    device = own[0].device
    on_device = device.type in GRAPHED
    fused = device.type in FUSED and all(weight.is_floating_point() and _is_dense(weight) for weight in own)
    placed = torch.tensor(rate, device=device) if on_device else rate
    if kind == "sgd":
        return SGD(own, placed, momentum=betas[0], fused=fused)
    return Adam(own, placed, betas, fused=fused, capturable=on_device)


def step(optimiser: Optimizer) -> None:
    """Update the weights by their gradients.

    The fused kernel goes over memory and would pair weights with the gradients of others where the two lie in another
    order, so gradients are first laid out as their weights are.
    """
    for group in optimiser.param_groups:
        for weight in group["params"]:
            gradient = weight.grad
            if gradient is not None and gradient.stride() != weight.stride():
                weight.grad = torch.empty_like(weight).copy_(gradient)
    optimiser.step()


def set_rate(optimiser: Optimizer, rate: float) -> None:
    """Set the learning rate of all weights, where it lies."""
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def load(optimiser: Optimizer, state: dict[str, object]) -> None:
    """Go on from a state that ``state_dict`` of such an optimiser gave, and that may have been moved to the CPU."""
    optimiser.load_state_dict(state)
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"] = group["lr"].to(group["params"][0].device)


def _is_dense(weight: Tensor) -> bool:
    """Whether its numbers fill a piece of memory, so that what is made like it has its strides."""
    return torch.empty_like(weight).stride() == weight.stride()
