"""The exact Wasserstein-1 distance between two sets of points, by optimal transport between them.

The algorithm is POT's network simplex (Flamary et al. 2021, JMLR 22(78)): on 2,000 points it takes a second, whatever
their distributions, where Jonker and Volgenant's, SciPy's, takes from one to thirteen.
"""

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist
from torch import Tensor

MOST_DIM = 2  # in more dimensions two samples of one distribution lie so far apart that the distance says little
ITERATIONS = 100_000_000  # far more than 10,000 points need


def wasserstein(points: Float[Tensor, "n d 1 1"], others: Float[Tensor, "m d 1 1"]) -> float | None:
    """The mean length of the shortest way of moving all points onto others, in float64.

    Args:
        points: of one or two numbers.
        others: as many.

    Returns:
        The distance; None in more than two dimensions.

    Raises:
        ValueError: a point is not finite, or their numbers differ.
    """
    mine, theirs = (each.flatten(1).double().cpu().numpy() for each in (points, others))
    if mine.shape != theirs.shape or not (np.isfinite(mine).all() and np.isfinite(theirs).all()):
        raise ValueError(f"points {mine.shape} and {theirs.shape} must be finite, and as many")
    if mine.shape[1] > MOST_DIM:
        return None
    if mine.shape[1] == 1:
        return float(np.abs(np.sort(mine[:, 0]) - np.sort(theirs[:, 0])).mean())
    from ot.lp import emd2  # with it comes much of scikit-learn: seconds, for runs on points alone

    distance, log = emd2([], [], cdist(mine, theirs), numItermax=ITERATIONS, log=True, check_marginals=False)
    if log["warning"] is not None:
        raise ValueError(f"the transport between {len(mine)} points was not found: {log['warning']}")
    return float(distance)
