"""A critic against the truth: the direction of its gradient, its size, and its estimate of the distance.

Paper: Korotin, Kolesov & Burnaev 2022, Kantorovich Strikes Back!, arXiv:2206.07767
"""

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench.interfaces.pair import Pair
from lipbench.measuring.critic import NotFiniteError
from lipbench.measuring.functions import Function


def against_truth(
    function: Function, pair: Pair, real: Float[Tensor, "n d 1 1"], fake: Float[Tensor, "n d 1 1"]
) -> dict[str, float]:
    """Compare a score with the best critic.

    Args:
        function: the score.
        pair: knows the answer.
        real: points of the first distribution.
        fake: as many of the second.

    Returns:
        ``cos``, the mean cosine between the score's gradient and the true one at real points, and ``l2``, the mean
        square of their difference, both over the points where the true one is defined (NaN where it is nowhere);
        ``w1_estimate``, the mean score of real points less that of fake ones; ``w1_true``.

    Raises:
        NotFiniteError: the score or its gradient is not finite somewhere.
    """
    scores, gradient = function.value_and_gradient(real)
    true = pair.slope(real).flatten(1)
    defined = true.isfinite().all(dim=1)
    if not (scores.isfinite().all() and gradient.isfinite().all()):
        raise NotFiniteError("the score at real points, or its gradient,")
    mine, true = gradient.flatten(1)[defined], true[defined]
    # Of length 1 by hand: the library's function shortens what is shorter than 1e-8.
    length = torch.linalg.vector_norm(mine, dim=1).clamp_min(torch.finfo(mine.dtype).tiny)
    return {
        "cos": float(((mine * true).sum(dim=1) / length).mean()),
        "l2": float((mine - true).square().sum(dim=1).mean()),
        "w1_estimate": float(scores.mean() - function.value(fake).mean()),
        "w1_true": pair.w1,
    }
