"""The order of a network's numbers in memory: channels last where that is quicker and the network bears it."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lipbench.train.composition import Composition
from lipbench.train.copies import copied
from lipbench.train.gradients.terms import values, values_and_norms
from lipbench.train.streams import generator, kept, seeded

SAME = 1e-3  # of the largest value: what sums in another order may make, and no other function
CHANNELS_LAST = 8  # pixels from which on convolutions are quicker so


def lay_out(network: nn.Module, shape: tuple[int, ...], attempt: Callable[[nn.Module], Tensor]) -> nn.Module:
    """Put the channels last, unless what training does then raises (``view``), or another function comes out.

    Args:
        network: a critic, constrained, or a generator; its buffers are left as they are.
        shape: of a picture; networks for small ones are left as they are.
        attempt: does to a copy what training does, and gives what comes out.
    """
    if min(shape[1:]) < CHANNELS_LAST:
        return network
    try:
        with torch.enable_grad(), kept():
            first, last = (
                attempt(copied(network).to(memory_format=layout))
                for layout in (torch.preserve_format, torch.channels_last)
            )
        if not torch.allclose(first, last, rtol=0, atol=SAME * float(first.abs().max())):
            return network
    except Exception:  # a user's network may raise anything; the checks say what it raises in its own layout
        return network
    return network.to(memory_format=torch.channels_last)


def of_generator(latents: Tensor) -> Callable[[nn.Module], Tensor]:
    """What training does to a generator."""

    def attempt(network: nn.Module) -> Tensor:
        with seeded(0, "layout"):
            fake: Tensor = network(latents)
        fake.sum().backward()
        return fake.detach()

    return attempt


def of_critic(composition: Composition, points: Tensor) -> Callable[[nn.Module], Tensor]:
    """What training does to a critic: it is differentiated, and the weights are projected."""

    def attempt(critic: nn.Module) -> Tensor:
        with seeded(0, "layout"):
            rng = generator(0, "layout", device=points.device)
            total = composition.regulariser(critic, points, len(points) // 2, 0, rng)
            if composition.needs_grad_norm:
                value, norm = values_and_norms(critic, points, differentiable=True)
                total = total + norm.sum()
            else:
                value = values(critic, points.detach().requires_grad_())
            (total + value.sum()).backward()
        composition.project(critic)
        return value.detach()

    return attempt


def memory_format(critic: nn.Module) -> str:
    """``channels-last`` or ``contiguous``: how the weights of its convolutions lie."""
    last = any(
        weight.dim() == 4 and not weight.is_contiguous() and weight.is_contiguous(memory_format=torch.channels_last)
        for weight in critic.parameters()
    )
    return "channels-last" if last else "contiguous"
