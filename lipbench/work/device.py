"""The device that a run works on."""

from functools import cache

import torch
from torch import Tensor

from lipbench.errors import RequestError


@cache
def choose_device(name: str) -> torch.device:
    """The device of this name; ``auto`` is a CUDA device where there is one, else the CPU.

    Raises:
        RequestError: there is no such device on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device("cpu" if name == "cpu:0" else name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise RequestError(f"device {name!r} cannot be used ({reason}); expected auto, cpu, cuda or cuda:0") from None
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)  # graphs, and plugins that say no more than "cuda", go by it
    return device


def spread(name: str) -> list[str]:
    """The devices over which runs are spread: ``auto`` and ``cuda`` stand for every GPU that this process may use.

    Raises:
        RequestError: there is no such device on this machine.
    """
    device = choose_device(name)
    count = torch.cuda.device_count() if device.type == "cuda" and device.index is None else 1
    return [f"cuda:{index}" for index in range(count)] if count > 1 else [str(device)]


def place(pictures: Tensor, device: torch.device) -> Tensor:
    """The pictures on the device, where half of its free memory holds them; else where they are."""
    if device.type == "cuda" and pictures.nbytes > torch.cuda.mem_get_info(device)[0] // 2:
        return pictures
    return pictures.to(device)


def wait(device: torch.device) -> None:
    """Wait until the device has done what it was given, so that a clock can be read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
