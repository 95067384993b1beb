"""Networks from a finished or interrupted run's checkpoint."""

import torch
from torch import nn

from lipbench import cell as cells
from lipbench.cell import Cell
from lipbench.errors import StoreError
from lipbench.runner import checkpoint
from lipbench.runner.build import build_trainer
from lipbench.runner.device import choose_device
from lipbench.runner.parts import load_pictures
from lipbench.store import RunFolder


def load_networks(folder: RunFolder, device: str) -> tuple[nn.Module, nn.Module, Cell, int]:
    """The averaged generator and the critic, in eval mode, the cell, and the generator steps made.

    Raises:
        StoreError: there is no checkpoint, or it is damaged.
    """
    cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
    chosen = choose_device(device)
    state = checkpoint.load(folder)
    if state is None:
        raise StoreError(f"run {folder.id} has no checkpoint yet; run it first")
    with torch.random.fork_rng():
        trainer = build_trainer(cell, load_pictures(cell.dataset, folder.file), folder.file, chosen)
    # The networks alone: random states are for training, and may be those of another device.
    trainer.averaged.load_state_dict(state["trainer"]["averaged"])
    trainer.critic.load_state_dict(state["trainer"]["critic"])
    generator: nn.Module = trainer.averaged.module
    return generator.eval(), trainer.critic.eval(), cell, int(state["trainer"]["step"])
