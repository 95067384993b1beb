"""One evaluation: the averaged generator's pictures, their fidelity, and the critic's gradient norms."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from lipbench.cell import Cell
from lipbench.dataset import to_unit
from lipbench.errors import Diverged
from lipbench.measure.critic import gradient_norms, interpolate, settled
from lipbench.measure.fidelity import fidelity
from lipbench.measure.images import generate
from lipbench.runner.build import Built
from lipbench.train.streams import generator

GRID = 64  # pictures of a sample grid


def latents(cell: Cell, count: int, device: torch.device) -> Float[Tensor, "n z"]:
    """The latents of every evaluation: the same for all methods of a seed, whatever the device."""
    rng = generator(cell.seed, "evaluation latents")
    return torch.randn(count, cell.protocol.train.latent_dim, generator=rng).to(device)


def evaluate(built: Built, cell: Cell) -> tuple[dict[str, float | None], UInt8[Tensor, "n c h w"]]:
    """Measure the present state; training goes on as if nothing had happened.

    Returns:
        The measurements by the names that ``runs.csv`` uses, and the first pictures for a grid.

    Raises:
        Diverged: a weight of the generator is not finite.
    """
    trainer, pictures, settings = built.trainer, built.pictures, cell.protocol.evaluate
    device = trainer.device
    averaged = trainer.averaged.module
    if not all(weight.isfinite().all() for weight in averaged.parameters()):
        raise Diverged(trainer.step, "a weight of the generator")
    fake = generate(averaged, latents(cell, settings.samples, device))
    with torch.random.fork_rng():  # a data loader draws from the global stream, which belongs to training
        record = fidelity(fake, built.reference, built.extractor, settings, cuda=device.type == "cuda")
    count = min(settings.critic_points, len(pictures.held_out), len(fake))
    real_points, fake_points = to_unit(pictures.held_out[:count].to(device)), to_unit(fake[:count])
    places = {
        "real": real_points,
        "fake": fake_points,
        "interpolated": interpolate(real_points, fake_points, generator(cell.seed, "measured points", device=device)),
    }
    composition = trainer.composition
    record |= gradient_norms(
        settled(trainer.critic), composition.score, places, needs_grad_norm=composition.score_needs_grad_norm
    )
    return record, fake[:GRID]
