"""Networks from a finished or interrupted run's checkpoint."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from lipbench.disk.store import RunFolder
from lipbench.errors import StoreError
from lipbench.measuring.critic import settle
from lipbench.request import cell as cells
from lipbench.request.cell import Cell
from lipbench.train.average import Average
from lipbench.train.streams import kept
from lipbench.work import checkpoint
from lipbench.work.build import build_critic, build_networks
from lipbench.work.device import choose_device
from lipbench.work.parts import load_data, load_pair


@dataclass(frozen=True)
class Loaded:
    """A run's networks, ready for use.

    Attributes:
        generator: the averaged generator, in eval mode: (n, latent_dim) → (n, c, h, w), pictures in [−1, 1]; None where
            the run trains a critic alone.
        critic: the raw critic, in eval mode, its power iterations settled, as it was measured.
        cell: what was asked.
        trace: one dict an evaluation.
    """

    generator: nn.Module | None
    critic: nn.Module
    cell: Cell
    trace: list[dict[str, Any]]


def load(folder: RunFolder, device: str) -> Loaded:
    """Load what a run has trained onto a device; neither optimisers nor an extractor are needed for it.

    Raises:
        StoreError: there is no checkpoint, or it is damaged.
    """
    cell, trained = read_trained(folder)
    chosen, trace = choose_device(device), folder.trace()[0]
    if cell.protocol.trains == "critic":
        pair = load_pair(cell.dataset, folder.file, cell.protocol.name)
        with kept():
            critic, _ = build_critic(cell, pair.shape, pair.dim, folder.file, chosen)
        critic.load_state_dict(trained["critic"])
        return Loaded(None, settle(critic), cell, trace)
    shape = load_data(cell.dataset, folder.file).shape
    return Loaded(*restore_networks(folder, cell, trained, shape, chosen), cell, trace)


def read_trained(folder: RunFolder) -> tuple[Cell, dict[str, Any]]:
    """What was asked of a run, and the state of its training; errors as of `load`."""
    cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
    state = checkpoint.load(folder)
    if state is None:
        raise StoreError(f"run {folder.id} has no checkpoint yet; run it first")
    return cell, state["trainer"]


def restore_networks(
    folder: RunFolder, cell: Cell, trained: dict[str, Any], shape: tuple[int, int, int], device: torch.device
) -> tuple[nn.Module, nn.Module]:
    """The averaged generator and the raw critic of a run, settled, in eval mode; `trained` as of `read_trained`."""
    with kept():
        generator, critic, _ = build_networks(cell, shape, folder.file, device)
    averaged = Average(generator)
    averaged.load_state_dict(trained["averaged"])
    critic.load_state_dict(trained["critic"])
    return settle(averaged.module), settle(critic)
