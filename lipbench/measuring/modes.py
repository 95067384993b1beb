"""Modes that generated samples cover, and how evenly.

Paper: Lin, Khetan, Fanti & Oh 2018, PacGAN, arXiv:1712.04086; Srivastava et al. 2017, VEEGAN, arXiv:1705.07761
"""

import torch
from jaxtyping import Bool
from torch import Tensor

from lipbench.interfaces.modes import Modes


def counted(modes: Modes | None, samples: Tensor, near: Bool[Tensor, " n"] | None) -> dict[str, int | float]:
    """Count the modes of samples.

    Args:
        modes: tells the samples apart; None where nothing is counted.
        samples: of a generator, or real ones.
        near: which of them are of high quality; None where that is not defined.

    Returns:
        ``modes_covered``, the modes with at least one sample of high quality (with any, where that is not defined);
        ``modes_kl``, the Kullback-Leibler divergence, in nats, of the distribution of all samples over the modes from
        the real one: KL(generated ‖ real); ``modes``, how many there are; ``high_quality``, the share of samples. What
        is not defined is left out.
    """
    found: dict[str, int | float] = {} if near is None else {"high_quality": float(near.double().mean())}
    if modes is None:
        return found
    own = modes.of(samples).cpu()
    good = own if near is None else own[near.cpu()]
    share = torch.bincount(own, minlength=modes.count).double() / len(own)
    probable = share * (share / modes.probabilities).log()
    # Rounding alone may bring the sum below 0.
    divergence = max(0.0, float(probable.where(share > 0, 0.0).sum()))
    return found | {"modes": modes.count, "modes_covered": len(good.unique()), "modes_kl": divergence}
