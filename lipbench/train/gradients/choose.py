"""Chooses the engine for a critic, and proves on a small batch that it is right."""

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import CheckpointError

from lipbench.train.copies import copied, nearby
from lipbench.train.gradients.call import UnsupportedOperation
from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.gradients.terms import Engine, Term
from lipbench.train.gradients.three_sweeps import ThreeSweeps
from lipbench.train.streams import generator, seeded

# How far gradients may be apart: relative to their own size (rounding leaves 1e-14 in float64 and 1e-5 in float32, a
# smooth activation 1e-2), and to that of the largest, as what should be 0 is the rounding of others.
TOLERANCES = {torch.float64: (1e-9, 1e-14), torch.float32: (1e-3, 1e-5)}
COUNT = 5  # samples of the proof: as few other sizes are


def choose(critic: nn.Module, shape: tuple[int, int, int], dtype: torch.dtype | None = None) -> Engine:
    """Three sweeps where they give the gradients of double backward in float64, else double backward.

    A critic that cannot be run in float64 is tried in float32.

    Args:
        critic: as it will be trained, constrained; it is left as it is.
        shape: channels, height and width of its pictures.
        dtype: what the sweeps compute in afterwards; None for the weights' own.
    """
    for precision, tolerances in TOLERANCES.items():
        rng = generator(0, "proof of the engine")
        points = torch.randn(COUNT, *shape, generator=rng, dtype=torch.float64)
        try:
            moved = nearby(critic, rng, precision)
            on_device = _with_kinks(points).to(next(moved.parameters()))
            found, wanted = (_gradients(engine, moved, on_device) for engine in (ThreeSweeps(), DoubleBackward()))
        except UnsupportedOperation as unknown:
            return DoubleBackward(f"the three sweeps do not know {unknown}")
        except CheckpointError:
            return DoubleBackward("the three sweeps do not know a part that is computed again (checkpoint)")
        except Exception as error:  # whatever keeps the critic from being copied, or run in this precision
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            continue
        if _agree(found, wanted, *tolerances):
            return ThreeSweeps(dtype)
        return DoubleBackward("the critic is not piecewise linear: the three sweeps give another gradient")
    return DoubleBackward(f"the three sweeps could not be proven ({reason})")


def _with_kinks(points: Tensor) -> Tensor:
    """Points some of which lie where functions have kinks and ties: at the bounds of pictures, and all alike."""
    held, background = points[-2:].clamp(-1, 1), torch.tensor([-1.0, 0.0]).to(points)
    held[:, :, ::2] = background.view(-1, 1, 1, 1)
    return torch.cat([points[:-2], held])


def _agree(found: list[Tensor], wanted: list[Tensor], tolerance: float, rounding: float) -> bool:
    sizes = [float(theirs.abs().max()) for theirs in wanted]
    return all(
        torch.allclose(mine, theirs, rtol=0, atol=max(tolerance * size, rounding * max(sizes), 1e-300))
        for mine, theirs, size in zip(found, wanted, sizes, strict=True)
    )


def _gradients(engine: Engine, critic: nn.Module, points: Tensor) -> list[Tensor]:
    """What an engine gives for a score, a penalty on a part of the samples, and the generator's step.

    Each pass is of a fresh copy: what a critic changes from pass to pass (old spectral normalisation) is then the same
    for every engine, in whatever order it takes the passes.
    """
    part = points.clone()  # points of its own, so that the sweeps really go over a part of a batch
    passes = [
        [Term(points, lambda value, norm: (value / (norm + value.abs() + 1e-12)).sin().sum())],
        [Term(points[:2].clone(), lambda value, norm: (norm - 1).square().sum())],
        [
            Term(part, lambda value, norm: (value * norm).sum(), rows=slice(1, 3)),
            Term(part, lambda value, norm: value.sin().sum(), needs_grad_norm=False),
        ],
        [Term(points[1:].clone(), lambda value, norm: value.cos().sum(), needs_grad_norm=False)],
    ]
    found = []
    for terms in passes:
        copy = copied(critic)
        copy.zero_grad(set_to_none=True)
        with seeded(0, "proof of the engine"):  # a critic that draws draws the same for every engine
            found += engine.accumulate(copy, terms)
        found += [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in copy.parameters()]
    (term,) = passes[0]
    with seeded(0, "proof of the engine"):
        _, at_points = engine.at_points(copied(critic), points, term.objective, needs_grad_norm=True)
    return [*found, at_points]
