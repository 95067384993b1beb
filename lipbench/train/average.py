"""The exponential moving average of a generator."""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

STATISTICS = ("running_mean", "running_var")  # of normalisation layers: averaged as weights are


class Average(AveragedModel):
    """Averages what is learned, and the running statistics; the rest is copied.

    A power iteration's singular vectors, a counter or a factor that fades something in mean nothing when averaged.

    Args:
        generator: copied at once.
        decay: of the average.
    """

    def __init__(self, generator: nn.Module, decay: float = 0.0) -> None:
        super().__init__(generator, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
        self.eval()

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Follow the generator by one step."""
        super().update_parameters(model)
        frozen = [(name, weight) for name, weight in model.named_parameters() if not weight.requires_grad]
        buffers = [(name, buffer) for name, buffer in model.named_buffers() if not name.endswith(STATISTICS)]
        own = dict(self.module.named_parameters()) | dict(self.module.named_buffers())
        for name, present in [*frozen, *buffers]:
            own[name].copy_(present)
