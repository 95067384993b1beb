"""The order of a critic's numbers in memory: channels last where that is quicker and the critic bears it."""

import torch
from torch import Tensor, nn

from lipbench.train.composition import Composition
from lipbench.train.copies import copied
from lipbench.train.gradients.terms import values, values_and_norms
from lipbench.train.streams import generator, seeded

SAME = 1e-3  # of the largest value: what sums in another order may make, and no other function
CHANNELS_LAST = 32  # pixels from which on convolutions are quicker so; generators are not, on a CPU


def lay_out(critic: nn.Module, composition: Composition, points: Tensor) -> nn.Module:
    """Put the channels last, unless what training does then raises (``view``), or another function comes out.

    Args:
        critic: constrained; its buffers are left as they are.
        composition: whose hooks must bear it, too.
        points: a few, (n, c, h, w); small ones leave the critic as it is.
    """
    if min(points.shape[2:]) < CHANNELS_LAST:
        return critic
    try:
        first, last = (
            _try(copied(critic).to(memory_format=layout), composition, points)
            for layout in (torch.preserve_format, torch.channels_last)
        )
        if not torch.allclose(first, last, rtol=0, atol=SAME * float(first.abs().max())):
            return critic
    except Exception:  # a user's network may raise anything; the checks say what it raises in its own layout
        return critic
    return critic.to(memory_format=torch.channels_last)


def _try(critic: nn.Module, composition: Composition, points: Tensor) -> Tensor:
    """Differentiate as training does, and have the weights projected; gives the values."""
    with torch.enable_grad(), seeded(0, "layout"):
        total = composition.regulariser(
            critic, points, len(points) // 2, 0, generator(0, "layout", device=points.device)
        )
        if composition.needs_grad_norm:
            value, norm = values_and_norms(critic, points, differentiable=True)
            total = total + norm.sum()
        else:
            value = values(critic, points.detach().requires_grad_())
        (total + value.sum()).backward()
    composition.project(critic)
    return value.detach()


def memory_format(critic: nn.Module) -> str:
    """``channels-last`` or ``contiguous``: how the weights of its convolutions lie."""
    last = any(
        weight.dim() == 4 and not weight.is_contiguous() and weight.is_contiguous(memory_format=torch.channels_last)
        for weight in critic.parameters()
    )
    return "channels-last" if last else "contiguous"
