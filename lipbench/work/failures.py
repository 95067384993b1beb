"""What is recorded of a failure: a word for its kind, and a message with the cure where it is known."""

import torch

from lipbench.errors import LipbenchError


def kind_of(error: Exception) -> str:
    """The word for a failure in ``error.json``."""
    starved = isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)
    return "out of memory" if starved else "error"


def message_of(error: Exception) -> str:
    """What has failed."""
    if isinstance(error, LipbenchError):
        return str(error)
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, torch.OutOfMemoryError):
        return (
            f"{said.splitlines()[0]}; expected a GPU with room for a step: run fewer at a time (--jobs), or with "
            f"smaller batches (--set train.batch_size=…)"
        )
    if isinstance(error, torch.AcceleratorError):
        return (
            f"the GPU failed ({said.splitlines()[0]}); expected one that works: the last checkpoint is kept, and the "
            f"same command goes on from it"
        )
    return said
