"""The exponential moving average of a generator."""

import torch
from torch import Tensor, nn

from lipbench.train.copies import copied

STATISTICS = ("running_mean", "running_var")  # of normalisation layers: averaged as weights are


class Average(nn.Module):
    """Averages what is learned, and the running statistics; the rest is copied.

    A power iteration's singular vectors, a counter or a factor that fades something in mean nothing when averaged. The
    first update copies everything, so that the average forgets the weights before training. Unlike torch's
    ``AveragedModel`` it counts on the host, so that no step waits for a GPU.

    Args:
        generator: copied at once.
        decay: of the average.

    Attributes:
        module: the average, in eval mode.
        n_averaged: the updates so far.
    """

    n_averaged: Tensor

    def __init__(self, generator: nn.Module, decay: float = 0.0) -> None:
        super().__init__()
        self.module = copied(generator).eval()
        self.decay = decay
        self.register_buffer("n_averaged", torch.tensor(0, device="cpu"))

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Follow the generator by one step."""
        present = dict(model.named_parameters()) | dict(model.named_buffers())
        own = dict(self.module.named_parameters()) | dict(self.module.named_buffers())
        learned = [name for name, weight in model.named_parameters() if weight.requires_grad]
        learned += [name for name, _ in model.named_buffers() if name.endswith(STATISTICS)]
        if int(self.n_averaged) > 0:
            torch._foreach_lerp_([own[name] for name in learned], [present[name] for name in learned], 1 - self.decay)
        else:
            learned = []
        for name in present.keys() - set(learned):
            own[name].copy_(present[name])
        self.n_averaged += 1
