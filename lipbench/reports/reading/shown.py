"""What figures show of runs on points: their critics over the plane, their samples over training, their fields."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from lipbench.disk import drawn
from lipbench.disk.store import RunFolder
from lipbench.errors import StoreError

Shape = tuple[int | None, ...]
# Arrays that are there together or not at all, each with its shape; any length where it is None.
GROUPS: tuple[dict[str, Shape], ...] = (
    {"box": (4,), "score": (None, None), "along": (None,), "height": (), "on_line": (None,)},
    {"samples": (None, None, 2)},
    {"fake": (None, 2)},
    {"real": (None, 2)},
    {"field_from": (None, 2), "field_to": (None, 2)},
)


@dataclass(frozen=True)
class Shown:
    """Of one run.

    Attributes:
        run_id: its name.
        method: of it.
        seed: of it.
        arrays: what it kept, by name, as in its ``drawn.npz``.
    """

    run_id: str
    method: str
    seed: int
    arrays: Mapping[str, Shaped[np.ndarray, "..."]]

    @property
    def fake(self) -> Float[np.ndarray, "n 2"]:
        """Generated points of the last evaluation, or points of the second distribution of a pair."""
        return self.arrays["samples"][-1] if "samples" in self.arrays else self.arrays["fake"]

    @property
    def has_plane(self) -> bool:
        """Whether it has a score over the plane."""
        return "score" in self.arrays


def read(folders: Mapping[str, RunFolder], runs: pd.DataFrame) -> tuple[list[Shown], list[str]]:
    """What every run of one comparison kept to be shown, and what could not be read, in sentences."""
    found, problems = [], []
    for run in runs.sort_values(["method", "seed"]).to_dict("records"):
        folder = folders.get(run["run_id"])
        if folder is None:
            continue
        try:
            arrays = drawn.read(folder)
            if arrays is not None:
                found.append(Shown(folder.id, str(run["method"]), int(run["seed"]), _checked(folder, arrays)))
        except StoreError as error:
            problems.append(f"{error}; its pictures are left out")
    return found, problems


def _checked(folder: RunFolder, arrays: drawn.Arrays) -> drawn.Arrays:
    wrong = []
    for group in GROUPS:
        if group.keys() & arrays.keys():
            wrong += [name for name, shape in group.items() if not _fits(arrays.get(name), shape)]
    moments = len(arrays["samples"]) if "samples" in arrays and "samples" not in wrong else None
    wrong += [] if moments is None or _fits(arrays.get("steps"), (moments,)) else ["steps"]
    needed = {"score": ["real", "samples" if "fake" not in arrays else "fake"], "samples": ["real"]}
    wrong += [name for key, names in needed.items() if key in arrays for name in names if name not in arrays]
    if wrong:
        named = ", ".join(dict.fromkeys(wrong))
        raise StoreError(f"{str(folder.file(drawn.NAME))!r} is damaged ({named}); remove it and run again")
    return arrays


def _fits(array: Shaped[np.ndarray, "..."] | None, shape: Shape) -> bool:
    """Whether it is an array of numbers of this shape, and not empty."""
    if array is None or array.dtype.kind not in "fi" or array.ndim != len(shape) or not array.size:
        return False
    return all(wanted in (None, length) for wanted, length in zip(shape, array.shape, strict=True))


def of_one_seed(shown: list[Shown]) -> list[Shown]:
    """Those of the lowest seed that most methods have, a run a method."""
    if not shown:
        return []
    methods: dict[int, set[str]] = {}
    for each in shown:
        methods.setdefault(each.seed, set()).add(each.method)
    seed = min(methods, key=lambda seed: (-len(methods[seed]), seed))
    first = {each.method: each for each in reversed(shown) if each.seed == seed}
    return [first[method] for method in sorted(first)]
