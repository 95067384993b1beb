"""Networks from a finished or interrupted run's checkpoint."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from lipbench import cell as cells
from lipbench.cell import Cell
from lipbench.dataset import Pictures
from lipbench.errors import StoreError
from lipbench.runner import checkpoint
from lipbench.runner.build import build_networks
from lipbench.runner.device import choose_device
from lipbench.runner.parts import create_method, load_pictures
from lipbench.store import RunFolder
from lipbench.train.composition import Composition


@dataclass(frozen=True)
class Networks:
    """What a run has trained, in eval mode.

    Attributes:
        generator: the averaged one.
        critic: the raw critic.
        cell: what was asked.
        step: the generator steps made.
        pictures: the data set.
    """

    generator: nn.Module
    critic: nn.Module
    cell: Cell
    step: int
    pictures: Pictures


def load_networks(folder: RunFolder, device: str) -> Networks:
    """Load a run's networks onto a device; neither optimisers nor an extractor are needed for it.

    Raises:
        StoreError: there is no checkpoint, or it is damaged.
    """
    cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
    chosen = choose_device(device)
    state = checkpoint.load(folder)
    if state is None:
        raise StoreError(f"run {folder.id} has no checkpoint yet; run it first")
    pictures = load_pictures(cell.dataset, folder.file)
    composition = Composition(tuple(create_method(part, folder.file) for part in cell.methods))
    with torch.random.fork_rng():
        generator, critic = build_networks(cell, composition, pictures.shape, folder.file, chosen)
    trained = state["trainer"]
    averaged = AveragedModel(generator, use_buffers=True)
    averaged.load_state_dict(trained["averaged"])
    critic.load_state_dict(trained["critic"])
    network: nn.Module = averaged.module
    return Networks(network.eval(), critic.eval(), cell, int(trained["step"]), pictures)
