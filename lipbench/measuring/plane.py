"""A critic's score over a part of the plane, and along one segment through it: what a picture of a critic shows."""

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from lipbench.measuring.functions import Function

SIDE = 161  # places along each side of the part of the plane
ALONG = 1601  # along the segment: near enough to each other that a jump is no slope
MARGIN = 0.25  # of the extent of the real points, around them
SHOWN = 500  # points that are kept of each kind

Arrays = dict[str, Shaped[np.ndarray, "..."]]


def box(real: Float[Tensor, "n 2 1 1"]) -> tuple[float, float, float, float]:
    """The square around real points that a picture shows: left, right, bottom, top."""
    flat = real.flatten(1).double()
    low, high = flat.amin(dim=0), flat.amax(dim=0)
    half = max(float((high - low).max()) * (0.5 + MARGIN), 1e-3)
    across, up = ((low + high) / 2).tolist()
    return across - half, across + half, up - half, up + half


def over_plane(function: Function, real: Float[Tensor, "n 2 1 1"]) -> Arrays:
    """Scores where a picture shows them, in float32.

    Args:
        function: of points of two numbers.
        real: real points, which decide what is shown.

    Returns:
        ``box`` (left, right, bottom, top); ``score``, a row for each height from the bottom up; ``along``, positions
        on the horizontal line through the middle of the box, and ``height``, its height; ``on_line``, the scores there.
    """
    left, right, bottom, top = edges = box(real)
    xs, ys = torch.linspace(left, right, SIDE), torch.linspace(bottom, top, SIDE)
    grid = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), dim=2).reshape(-1, 2)
    line, height = torch.linspace(left, right, ALONG), (bottom + top) / 2
    on_line = torch.stack([line, torch.full_like(line, height)], dim=1)
    scores, course = (function.value(places[..., None, None].to(real)) for places in (grid, on_line))
    return {
        "box": np.array(edges),
        "score": scores.cpu().view(SIDE, SIDE).numpy(),
        "along": line.numpy(),
        "height": np.array(height),
        "on_line": course.cpu().numpy(),
    }


def shown(points: Float[Tensor, "n 2 1 1"]) -> Shaped[np.ndarray, "..."]:
    """The first points, (n, 2), as a picture shows them."""
    return points[:SHOWN].flatten(1).float().cpu().numpy()
