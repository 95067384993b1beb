"""Networks from a finished or interrupted run's checkpoint."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from lipbench.disk.store import RunFolder
from lipbench.errors import StoreError
from lipbench.interfaces.dataset import Pictures
from lipbench.measuring.critic import settle
from lipbench.request import cell as cells
from lipbench.request.cell import Cell
from lipbench.request.schema import adversarial
from lipbench.train.average import Average
from lipbench.train.composition import Composition
from lipbench.train.streams import kept
from lipbench.work import checkpoint
from lipbench.work.build import build_critic, build_networks
from lipbench.work.device import choose_device
from lipbench.work.parts import create_method, load_pair, load_pictures


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
        RequestError: the run trains a critic alone.
        StoreError: there is no checkpoint, or it is damaged.
    """
    cell, trained = _read(folder)
    adversarial(cell.protocol)
    chosen = choose_device(device)
    pictures = load_pictures(cell.dataset, folder.file)
    with kept():
        generator, critic = build_networks(cell, _composition(cell, folder), pictures.shape, folder.file, chosen)
    averaged = Average(generator)
    averaged.load_state_dict(trained["averaged"])
    critic.load_state_dict(trained["critic"])
    return Networks(settle(averaged.module), critic.eval(), cell, int(trained["step"]), pictures)


def load_critic(folder: RunFolder, device: str) -> tuple[nn.Module, Cell]:
    """Load the critic of a run that trains it alone, in eval mode; errors as of `load_networks`."""
    cell, trained = _read(folder)
    pair = load_pair(cell.dataset, folder.file, cell.protocol.name)
    with kept():
        critic = build_critic(
            cell, _composition(cell, folder), pair.shape, pair.dim, folder.file, choose_device(device)
        )
    critic.load_state_dict(trained["update"]["critic"])
    return critic.eval(), cell


def _read(folder: RunFolder) -> tuple[Cell, dict[str, Any]]:
    """What was asked, and the training's state."""
    cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
    state = checkpoint.load(folder)
    if state is None:
        raise StoreError(f"run {folder.id} has no checkpoint yet; run it first")
    return cell, state["trainer"]


def _composition(cell: Cell, folder: RunFolder) -> Composition:
    return Composition(tuple(create_method(part, folder.file) for part in cell.methods))
