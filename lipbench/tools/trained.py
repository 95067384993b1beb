"""The critic that a run has trained, as the subject of an audit."""

import torch

from lipbench.disk.store import RunFolder, Status
from lipbench.interfaces.dataset import Pictures, to_unit
from lipbench.interfaces.distribution import Distribution
from lipbench.measuring.critic import uniform
from lipbench.measuring.images import generate
from lipbench.plugins import registry
from lipbench.plugins.kinds import METHOD
from lipbench.tools.audit import Subject
from lipbench.tools.load import load
from lipbench.tools.subjects import shape_of
from lipbench.train.composition import Composition
from lipbench.train.streams import EVALUATION, generator, seeded
from lipbench.work.job import latents
from lipbench.work.parts import load_data


def of_run(folder: RunFolder, count: int, device: torch.device) -> Subject:
    """The critic of a run, its score, and points of its data.

    Args:
        folder: the run.
        count: points at each place, at most.
        device: what generates pictures.

    Raises:
        StoreError: it has no checkpoint, or it is damaged.
    """
    loaded = load(folder, str(device))
    cell = loaded.cell
    found = load_data(cell.dataset, folder.file)
    if isinstance(found, Pictures):
        real = to_unit(found.held_out[:count])
        with seeded(cell.seed, EVALUATION):
            assert loaded.generator is not None  # a run on pictures has one
            fake = to_unit(generate(loaded.generator, latents(cell, len(real), device))).cpu()
        places, points = {"real": real, "generated": fake}, f"held-out pictures of {cell.dataset}, generated ones"
    elif isinstance(found, Distribution):
        real = found.sample(count, generator(cell.seed, "audited points"))
        assert loaded.generator is not None  # a run on points has one
        with seeded(cell.seed, EVALUATION), torch.no_grad():
            fake = loaded.generator(latents(cell, count, device)).cpu()
        places, points = {"real": real, "generated": fake}, f"points of {cell.dataset}, generated ones"
    else:
        real, fake = found.sample(count, generator(cell.seed, "audited pair"))
        places, points = {"real": real, "fake": fake}, f"both distributions of {cell.dataset}"
    noise = uniform(torch.cat([real, fake]), generator(cell.seed, "audited noise"))[: len(real)]
    methods = tuple(registry.create(METHOD, part, folder.file) for part in cell.methods)
    status = folder.status()
    return Subject(
        name=folder.id,
        critic=loaded.critic,
        shape=shape_of(real),
        points=f"{points} and noise",
        places=places | {"noise": noise},
        score=Composition(methods).measured_score,
        method=cell.method,
        weights="its last checkpoint",
        notes=() if status is Status.DONE else (f"The run is {status}: this is its last checkpoint.",),
        files={folder.file(name): folder.file(name) for name in cell.copies},
    )
