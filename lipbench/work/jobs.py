"""The job of a cell, by what its protocol trains."""

import torch

from lipbench.plugins.registry import Locate
from lipbench.request.cell import Cell
from lipbench.request.schema import CriticProtocol
from lipbench.work.adversarial import Adversarial
from lipbench.work.alone import Alone
from lipbench.work.job import Job


def create(cell: Cell, locate: Locate, device: torch.device) -> Job:
    """Build what a cell describes.

    Args:
        cell: what was asked.
        locate: gives the path of a user's own file from its name in the run folder.
        device: where to train.

    Raises:
        RequestError: a plugin cannot be used, or the parts do not fit together.
    """
    if isinstance(cell.protocol, CriticProtocol):
        return Alone(cell, cell.protocol, locate, device)
    return Adversarial(cell, locate, device)
