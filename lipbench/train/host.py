"""What the host keeps from step to step, beside the numbers on the device: a CUDA graph would not change it."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def of_networks(networks: Mapping[str, nn.Module]) -> dict[str, object]:
    """Every attribute of every module, by its path."""
    return {
        f"{name}.{path}.{key}".replace("..", "."): look(value)
        for name, network in networks.items()
        for path, module in network.named_modules()
        for key, value in vars(module).items()
    }


def of_random_numbers() -> dict[str, object]:
    """The global random states of the host, each as a digest."""
    numpy: dict[str, Any] = np.random.get_state(legacy=False)
    states = {
        "torch": torch.get_rng_state().tolist(),
        "NumPy": [numpy["state"]["pos"], *numpy["state"]["key"].tolist(), numpy["has_gauss"], numpy["gauss"]],
        "Python": random.getstate(),
    }
    return {f"the random numbers of {name}": hash(str(state)) for name, state in states.items()}


def look(value: object, depth: int = 3) -> object:
    """Something that is equal at two times where the value is, without a look at numbers on a device."""
    if isinstance(value, Tensor):
        return id(value), value.data_ptr() if value.layout == torch.strided else 0
    if isinstance(value, bool | int | float | str | None):
        return value
    if depth and isinstance(value, Mapping):
        return tuple((key, look(each, depth - 1)) for key, each in value.items())
    if depth and isinstance(value, list | tuple | set | frozenset):
        return type(value), tuple(look(each, depth - 1) for each in value)
    return id(value)
