"""The state of a run on disk: written whole or not at all, read without running code from it."""

import sys
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import torch

from lipbench.disk.files import read_bytes
from lipbench.disk.store import RunFolder
from lipbench.errors import StoreError

NAME = "checkpoint.pt"


def save(folder: RunFolder, state: dict[str, Any]) -> None:
    """Write the checkpoint, which names its run."""
    file = BytesIO()
    torch.save({"run_id": folder.id, **state}, file)
    folder.write(NAME, file.getvalue())


def load(folder: RunFolder, device: str | None = None, basis: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    """Read the checkpoint onto the CPU, where random states must be, or None where there is none.

    Args:
        folder: of the run.
        device: the type of device on which training goes on, if it does: random states of one mean nothing on another.
        basis: the digests of what it goes on with, if it does.

    Raises:
        StoreError: it is damaged, of another run or version, or was made on another device or from other data.
    """
    path = folder.file(NAME)
    try:
        content = read_bytes(path, most=sys.maxsize)
    except FileNotFoundError:
        return None
    try:
        state: dict[str, Any] = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
        named = state["run_id"]
        made = {key: state[key] for key in ("device", "basis", "trace")} if device else {}
    except Exception as error:  # torch raises whatever the damage makes it trip over
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(error, KeyError):
            reason = f"it lacks {error}, as those of earlier versions do"
        raise StoreError(
            f"{str(path)!r} is damaged ({reason}); expected a whole checkpoint. "
            f"`lipbench run … --retry-failed` sets it aside and starts the run over"
        ) from None
    if named != folder.id:
        raise StoreError(
            f"{str(path)!r} is of run {named}; expected that of {folder.id}. `lipbench run … --retry-failed` sets it "
            f"aside and starts the run over"
        )
    if device is not None and made["device"] != device:
        raise StoreError(
            f"{str(path)!r} was made on {made['device']}, and this is {device}, which draws other random numbers; "
            f"expected --device {made['device']}. `lipbench run … --retry-failed` starts the run over"
        )
    if basis is not None and made["basis"] != basis:
        raise StoreError(
            f"{str(path)!r} was made from {made['basis']}, and what is there now is {dict(basis)}; expected the same: "
            f"restore them. `lipbench run … --retry-failed` starts the run over"
        )
    return state
