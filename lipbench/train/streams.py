"""Random numbers with names. One seed gives every method the same pictures, latents and initial weights.

Each purpose has a generator of its own, so a method that draws more numbers than another (for the points of its
penalty, say) shifts nothing for anyone else.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from torch import Tensor

NAMES = ("latents", "flips", "penalty", "pair", "points")
EVALUATION = "evaluation"  # the purpose of what networks draw when they are measured, apart from training


def derive(seed: int, *purpose: object) -> int:
    """A seed for one purpose: 63 bits of the digest of `seed` and the purpose's name."""
    return int.from_bytes(sha256(repr((seed, *purpose)).encode()).digest()[:8], "big") >> 1


def generator(seed: int, *purpose: object, device: torch.device | str = "cpu") -> torch.Generator:
    """A new random generator for one purpose, on `device`."""
    return torch.Generator(device).manual_seed(derive(seed, *purpose))


def seed_globally(seed: int, *purpose: object) -> None:
    """Seed the global random states from which a network may draw: those of torch, NumPy and Python."""
    derived = derive(seed, *purpose)
    torch.manual_seed(derived)
    np.random.seed(derived % 2**32)
    random.seed(derived)


def global_state() -> dict[str, Any]:
    """The global random states, as a checkpoint holds them."""
    version, numbers, gauss = random.getstate()
    _, keys, *rest = np.random.get_state()
    return {
        "global_random": torch.get_rng_state(),
        "global_random_cuda": [torch.cuda.get_rng_state(device) for device in _cuda_devices()],
        "global_random_python": (version, torch.tensor(numbers), gauss),
        "global_random_numpy": (torch.tensor(np.asarray(keys, np.int64)), *rest),
    }


def restore_global_state(state: dict[str, Any]) -> None:
    """Go on from what `global_state` gave."""
    torch.set_rng_state(state["global_random"])
    for device, cuda in zip(_cuda_devices(), state["global_random_cuda"], strict=False):
        torch.cuda.set_rng_state(cuda, device)
    version, numbers, gauss = state["global_random_python"]
    random.setstate((version, tuple(numbers.tolist()), gauss))
    keys, *rest = state["global_random_numpy"]
    np.random.set_state(("MT19937", keys.numpy().astype(np.uint32), *rest))


@contextmanager
def kept() -> Iterator[None]:
    """Leave the global random states as they were before the block."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(_cuda_devices()):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def _cuda_devices() -> range:
    """The CUDA devices that this process uses: none on a CPU, for which a GPU must not even be waked."""
    return range(torch.cuda.device_count() if torch.cuda.is_initialized() else 0)


@contextmanager
def seeded(seed: int, *purpose: object) -> Iterator[None]:
    """Seed the global random states inside the block, as layers draw their initial weights there."""
    with kept():
        seed_globally(seed, *purpose)
        yield


class Streams:
    """The random streams of one training run, on one device."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.seed = seed
        self.device = device
        self._generators = {name: generator(seed, name, device=device) for name in NAMES}
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.long)

    def __getitem__(self, name: str) -> torch.Generator:
        """The generator of this name, one of `NAMES`."""
        return self._generators[name]

    @property
    def generators(self) -> list[torch.Generator]:
        """All of them."""
        return list(self._generators.values())

    def latents(self, count: int, latent_dim: int) -> Tensor:
        """Draw standard normal latents, (count, latent_dim)."""
        return torch.randn(count, latent_dim, generator=self["latents"], device=self.device)

    def batch(self, index: int, batch_size: int, total: int, place: torch.device | None = None) -> Tensor:
        """The positions of the pictures in batch number `index`, from 0: each epoch is a new order of all.

        A function of the seed and `index` alone, so that a run can go on anywhere. What is left of an epoch after its
        last whole batch is left out, as ``drop_last`` does.

        Args:
            index: of the batch.
            batch_size: pictures in each.
            total: pictures in all.
            place: where the pictures are, and the positions will be; the streams' own device if None.
        """
        batches = total // batch_size
        epoch, position = divmod(index, batches)
        if epoch != self._epoch:
            order = generator(self.seed, "data order", epoch, device=self.device)
            self._order = torch.randperm(total, generator=order, device=self.device).to(place or self.device)
            self._epoch = epoch
        return self._order[position * batch_size : (position + 1) * batch_size]

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that is needed to go on from here."""
        return {name: generator.get_state() for name, generator in self._generators.items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from a state that `state_dict` gave on a device of the same type."""
        for name, value in state.items():
            self._generators[name].set_state(value)
