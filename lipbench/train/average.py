"""The exponential moving average of a generator."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from lipbench.train.copies import copied

STATISTICS = ("running_mean", "running_var")  # of normalisation layers: averaged as weights are


class _Place(NamedTuple):
    """Where a module keeps a tensor: a network may put another one there."""

    kept: dict[str, Tensor | None]
    name: str

    def get(self) -> Tensor:
        found = self.kept[self.name]
        assert found is not None  # `_places` has left these out
        return found


class Average(nn.Module):
    """Averages what is learned, and the running statistics; the rest is copied.

    A power iteration's singular vectors, a counter or a factor that fades something in mean nothing when averaged. The
    first update copies everything, so that the average forgets the weights before training. Unlike torch's
    ``AveragedModel`` it counts on the host, so that no step waits for a GPU, and finds its tensors once.

    Args:
        generator: copied at once.
        decay: of the average.

    Attributes:
        module: the average, in eval mode.
        updates: made so far.
    """

    def __init__(self, generator: nn.Module, decay: float = 0.0) -> None:
        super().__init__()
        self.module = copied(generator).eval()
        self.decay = decay
        self.updates = 0
        own, present = _places(self.module), _places(generator)
        learned = {name for name, weight in generator.named_parameters() if weight.requires_grad}
        learned |= {name for name in present if name.endswith(STATISTICS)}
        self._averaged = [(own[name], present[name]) for name in present if name in learned]
        self._copied = [(own[name], present[name]) for name in present if name not in learned]

    @torch.no_grad()
    def update(self) -> None:
        """Follow the generator by one step."""
        averaged = self._averaged if self.updates > 0 else []
        if averaged:
            own, present = [mine.get() for mine, _ in averaged], [theirs.get() for _, theirs in averaged]
            torch._foreach_lerp_(own, present, 1 - self.decay)
        for mine, theirs in self._copied if averaged else self._averaged + self._copied:
            mine.get().copy_(theirs.get())
        self.updates += 1

    def get_extra_state(self) -> int:
        """Let the count be part of the state."""
        return self.updates

    def set_extra_state(self, state: int) -> None:
        """Go on from a count."""
        self.updates = state


def _places(network: nn.Module) -> dict[str, _Place]:
    """Where a network keeps its parameters and buffers, by their names, each tensor once."""
    seen: set[int] = set()
    found = {}
    for path, module in network.named_modules():
        for kept in (module._parameters, module._buffers):
            for name, tensor in kept.items():
                if tensor is not None and id(tensor) not in seen:
                    seen.add(id(tensor))
                    found[f"{path}.{name}".removeprefix(".")] = _Place(kept, name)
    return found
