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
class Loaded:
    """A run's networks, ready for use.

    Attributes:
        generator: the averaged generator, in eval mode: (n, latent_dim) → (n, c, h, w) in [−1, 1]; None where the run
            trains a critic alone.
        critic: the raw critic, in eval mode.
        cell: what was asked.
        trace: one dict an evaluation.
    """

    generator: nn.Module | None
    critic: nn.Module
    cell: Cell
    trace: list[dict[str, Any]]


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


def load(folder: RunFolder, device: str) -> Loaded:
    """Load what a run has trained onto a device; errors as of `load_networks`."""
    cell, trained = _read(folder)
    trace = folder.trace()[0]
    if cell.protocol.trains == "critic":
        return Loaded(None, _critic(folder, cell, trained, device), cell, trace)
    networks = _networks(folder, cell, trained, device)
    return Loaded(networks.generator, networks.critic, cell, trace)


def load_networks(folder: RunFolder, device: str) -> Networks:
    """Load a run's networks onto a device; neither optimisers nor an extractor are needed for it.

    Raises:
        RequestError: the run trains a critic alone.
        StoreError: there is no checkpoint, or it is damaged.
    """
    cell, trained = _read(folder)
    adversarial(cell.protocol)
    return _networks(folder, cell, trained, device)


def _networks(folder: RunFolder, cell: Cell, trained: dict[str, Any], device: str) -> Networks:
    chosen = choose_device(device)
    pictures = load_pictures(cell.dataset, folder.file)
    with kept():
        generator, critic = build_networks(cell, _composition(cell, folder), pictures.shape, folder.file, chosen)
    averaged = Average(generator)
    averaged.load_state_dict(trained["averaged"])
    critic.load_state_dict(trained["critic"])
    return Networks(settle(averaged.module), critic.eval(), cell, int(trained["step"]), pictures)


def _critic(folder: RunFolder, cell: Cell, trained: dict[str, Any], device: str) -> nn.Module:
    pair = load_pair(cell.dataset, folder.file, cell.protocol.name)
    with kept():
        critic = build_critic(
            cell, _composition(cell, folder), pair.shape, pair.dim, folder.file, choose_device(device)
        )
    critic.load_state_dict(trained["critic"])
    return critic.eval()


def _read(folder: RunFolder) -> tuple[Cell, dict[str, Any]]:
    """What was asked, and the training's state."""
    cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
    state = checkpoint.load(folder)
    if state is None:
        raise StoreError(f"run {folder.id} has no checkpoint yet; run it first")
    return cell, state["trainer"]


def _composition(cell: Cell, folder: RunFolder) -> Composition:
    return Composition(tuple(create_method(part, folder.file) for part in cell.methods))
