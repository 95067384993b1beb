"""The precision in which networks compute. Values, norms and what is made of them are float32 in any case."""

from contextlib import AbstractContextManager

import torch
from torch import Tensor

from lipbench.errors import RequestError

HALF = {"bfloat16": torch.bfloat16}


def set_precision(name: str, device: torch.device) -> None:
    """Let this process compute on `device` in ``float32``, ``tf32`` or ``bfloat16``.

    Raises:
        RequestError: the device cannot.
    """
    if name == "tf32" and (device.type != "cuda" or torch.cuda.get_device_capability(device) < (8, 0)):
        raise RequestError(
            f"precision tf32 needs an NVIDIA GPU from Ampere on, not {device}; expected float32 or bfloat16"
        )
    if name == "bfloat16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise RequestError(f"{device} does not compute in bfloat16; expected float32")
    # Convolutions would use tf32 unasked.
    torch.backends.cuda.matmul.allow_tf32 = name == "tf32"
    torch.backends.cudnn.allow_tf32 = name == "tf32"


def full(numbers: Tensor) -> Tensor:
    """What a network gave, in float32 where it was in half precision."""
    return numbers.float() if numbers.dtype == torch.bfloat16 else numbers


def autocast(name: str, device: torch.device) -> AbstractContextManager[None]:
    """Inside the block, autograd's passes through the networks are in bfloat16 where `name` says so."""
    return torch.autocast(device.type, HALF.get(name), enabled=name in HALF)
