"""The state of a run on disk: written whole or not at all, read without running code from it."""

from io import BytesIO
from typing import Any

import torch

from lipbench.errors import StoreError
from lipbench.store import RunFolder, write_atomically

NAME = "checkpoint.pt"


def save(folder: RunFolder, state: dict[str, Any]) -> None:
    """Write the checkpoint."""
    file = BytesIO()
    torch.save(state, file)
    write_atomically(folder.file(NAME), file.getvalue())


def load(folder: RunFolder) -> dict[str, Any] | None:
    """Read the checkpoint onto the CPU, where random states must be, or None where there is none.

    Raises:
        StoreError: it is damaged.
    """
    path = folder.file(NAME)
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the damage makes it trip over
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise StoreError(
            f"{str(path)!r} is damaged ({reason}); expected a whole checkpoint. "
            f"`lipbench run … --retry-failed` sets it aside and starts the run over"
        ) from None
    return state
