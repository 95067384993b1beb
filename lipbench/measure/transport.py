"""A critic against the truth: the direction of its gradient, its size, and its estimate of the distance.

Paper: Korotin, Kolesov & Burnaev 2022, Kantorovich Strikes Back!, arXiv:2206.07767
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from lipbench.measure.functions import Function
from lipbench.pair import Pair


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
    """
    scores, gradient = function.value_and_gradient(real)
    true = pair.slope(real).flatten(1)
    defined = true.isfinite().all(dim=1)
    mine, true = gradient.flatten(1)[defined], true[defined]
    return {
        "cos": float(F.cosine_similarity(mine, true).mean()),
        "l2": float((mine - true).square().sum(dim=1).mean()),
        "w1_estimate": float(scores.mean() - function.value(fake).mean()),
        "w1_true": pair.w1,
    }
