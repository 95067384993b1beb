"""The order of a critic's numbers in memory: channels last where that is quicker and the critic bears it."""

import torch
from torch import Tensor, nn

from lipbench.train.composition import Composition
from lipbench.train.copied import copied
from lipbench.train.gradients.terms import values, values_and_norms
from lipbench.train.streams import generator, kept

CHANNELS_LAST = 32  # pixels from which on convolutions are quicker so; generators are not, on a CPU


def lay_out(critic: nn.Module, composition: Composition, points: Tensor) -> nn.Module:
    """Put the channels last, unless what training does then raises (``view`` where the channels must come first).

    Args:
        critic: constrained; its buffers are left as they are.
        composition: whose hooks must bear it, too.
        points: a few, (n, c, h, w); small ones leave the critic as it is.
    """
    if min(points.shape[2:]) < CHANNELS_LAST:
        return critic
    with kept():
        try:
            _try(copied(critic).to(memory_format=torch.channels_last), composition, points)
        except Exception:  # a user's network may raise anything; the checks say what it raises in its own layout
            return critic
    return critic.to(memory_format=torch.channels_last)


def _try(critic: nn.Module, composition: Composition, points: Tensor) -> None:
    """Differentiate as training does, and have the weights projected."""
    with torch.enable_grad():
        total = composition.regulariser(
            critic, points, len(points) // 2, 0, generator(0, "layout", device=points.device)
        )
        if composition.needs_grad_norm:
            total = total + torch.stack(values_and_norms(critic, points, differentiable=True)).sum()
        else:
            total = total + values(critic, points.detach().requires_grad_()).sum()
        total.backward()
    composition.project(critic)


def memory_format(critic: nn.Module) -> str:
    """``channels-last`` or ``contiguous``: how the weights of its convolutions lie."""
    last = any(
        weight.dim() == 4 and not weight.is_contiguous() and weight.is_contiguous(memory_format=torch.channels_last)
        for weight in critic.parameters()
    )
    return "channels-last" if last else "contiguous"
