"""What figures show of a run on points: numbers that a table cannot hold, in ``drawn.npz`` of its run folder.

Samples of every evaluation stand one above the other; all else is of the last one.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from jaxtyping import Shaped

from lipbench.disk.files import damaged, read_bytes
from lipbench.disk.store import RunFolder
from lipbench.errors import StoreError

NAME = "drawn.npz"
OVER_TIME = "samples"
Arrays = dict[str, Shaped[np.ndarray, "..."]]


def add(folder: RunFolder, step: int, arrays: Mapping[str, Shaped[np.ndarray, "..."]]) -> None:
    """Keep what an evaluation gives; later ones, of a run that went back to a checkpoint, are forgotten.

    Raises:
        ClaimLostError: another process works on the folder by now.
        StoreError: it cannot be written.
    """
    try:
        known = read(folder) or {}
    except StoreError:  # written anew
        known = {}
    found, steps = dict(arrays), [step]
    if OVER_TIME in found:
        before = known.get("steps", np.empty(0)) < step
        found[OVER_TIME] = np.stack([*known.get(OVER_TIME, np.empty(0))[before], found[OVER_TIME]])
        steps = [*known.get("steps", np.empty(0))[before], step]
    file = BytesIO()
    named: Any = {"steps": np.array(steps, dtype=np.int64), "run": np.array(folder.id), **found}
    np.savez_compressed(file, **named)
    folder.write(NAME, file.getvalue())


def read(folder: RunFolder) -> Arrays | None:
    """What was kept; None where there is nothing.

    Raises:
        StoreError: the file is damaged, cannot be read, or is of another run.
    """
    path = folder.file(NAME)
    try:
        content = read_bytes(path)
    except FileNotFoundError:
        return None
    try:
        with np.load(BytesIO(content), allow_pickle=False) as file:
            found = dict(file)
    except Exception as error:  # NumPy raises whatever the damage makes it trip over
        raise StoreError(damaged(path, " ".join(str(error).split())[:100] or type(error).__name__)) from None
    own = str(found.pop("run", ""))
    if own != folder.id:
        raise StoreError(damaged(path, f"of run {own}"))
    return found
