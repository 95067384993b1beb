"""The Dirac-GAN, a generator that gives θ and a critic of slope ψ: where they are, and where a step would take them.

Paper: Mescheder, Geiger & Nowozin 2018, Which training methods for GANs do actually converge?, arXiv:1801.04406
"""

from copy import deepcopy

import numpy as np
import torch
from jaxtyping import Shaped

from lipbench.errors import Diverged
from lipbench.measuring.critic import settled
from lipbench.train.gradients.terms import values
from lipbench.train.loop import Game

REACH, SIDE = 3.0, 11  # of the field: both numbers from −REACH to REACH, so many places each


def is_dirac(training: Game) -> bool:
    """Whether generator and critic have one number each that is trained."""
    return all(
        sum(weight.numel() for weight in network.parameters() if weight.requires_grad) == 1
        for network in (training.generator, training.critic)
    )


def place(training: Game) -> dict[str, float]:
    """Where the two are: ``theta``, the generator's point, and ``psi``, the slope of the raw critic as it is used."""
    device = training.device
    with torch.no_grad():
        theta = training.generator(torch.zeros(1, training.settings.latent_dim, device=device))
        ends = torch.tensor([0.0, 1.0], device=device).view(2, 1, 1, 1)
        below, above = values(settled(training.critic), ends).tolist()
    return {"theta": theta.item(), "psi": above - below}


def field(training: Game) -> dict[str, Shaped[np.ndarray, "..."]]:
    """Where one step of training takes θ and ψ from places all around; the training is left as it was.

    Returns:
        ``field_from`` and ``field_to``, (n, 2) each: θ and ψ before and after the step, NaN where it diverges. Where a
        method constrains the critic, ψ is what it leaves of the number that is trained: NaN of 0 if it is divided.
    """
    state = deepcopy(training.state_dict())
    numbers = [
        next(weight for weight in each.parameters() if weight.requires_grad)
        for each in (training.generator, training.critic)
    ]
    begun, ended = [], []
    for theta in np.linspace(-REACH, REACH, SIDE):
        for psi in np.linspace(-REACH, REACH, SIDE):
            # One and the same step from each place: its moments, its random numbers, the penalties that are due.
            training.load_state_dict(deepcopy(state))
            with torch.no_grad():
                for number, value in zip(numbers, (theta, psi), strict=True):
                    number.fill_(float(value))
            begun.append(list(place(training).values()))
            try:
                training.advance(1)
                ended.append(list(place(training).values()))
            except Diverged:
                ended.append([np.nan, np.nan])
    training.load_state_dict(state)
    return {"field_from": np.array(begun), "field_to": np.array(ended)}
