"""Makes everything that a cell describes, and says what does not fit together."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lipbench import nets, registry
from lipbench.cell import Cell, Part
from lipbench.dataset import Pictures, to_unit
from lipbench.errors import PluginError, RequestError
from lipbench.measure import extractors
from lipbench.measure.extractors import Extractor
from lipbench.measure.fidelity import Reference
from lipbench.names import Name
from lipbench.train.composition import Composition, check_independent
from lipbench.train.gradients import values
from lipbench.train.loop import Trainer
from lipbench.train.losses import LOSSES
from lipbench.train.streams import seeded

Locate = Callable[[str], Path]


@dataclass(frozen=True)
class Built:
    """All that training and evaluation need, on the device."""

    trainer: Trainer
    pictures: Pictures
    reference: Reference
    extractor: Extractor


def build(cell: Cell, locate: Locate, device: torch.device) -> Built:
    """Make data, networks, method and extractor.

    Args:
        cell: what was asked.
        locate: gives the path of a user's own file from its name in the run folder.
        device: where to train.

    Raises:
        RequestError: a plugin cannot be used, or the parts do not fit together.
    """
    pictures = _load(cell.dataset, locate)
    composition = Composition(tuple(_create(registry.METHOD, part, locate) for part in cell.methods))
    settings, measured = cell.protocol.train, cell.protocol.evaluate
    if len(pictures.train) < settings.batch_size:
        raise RequestError(
            f"train.batch_size is {settings.batch_size}, but {cell.dataset} has {len(pictures.train)} training "
            f"pictures; expected at most as many: --set train.batch_size={len(pictures.train)}"
        )
    reference = _reference(cell, pictures)
    smaller = min(measured.samples, len(reference.pictures))
    if smaller < measured.kid_subset_size:
        raise RequestError(
            f"evaluate.kid_subset_size is {measured.kid_subset_size}, but there are {smaller} pictures to draw from; "
            f"expected at most as many: --set evaluate.kid_subset_size={smaller}"
        )
    make = _architecture(cell.architecture, locate)
    with seeded(cell.seed, "generator init"):
        generator, _ = _pair(make, cell, pictures)
    with seeded(cell.seed, "critic init"):
        _, critic = _pair(make, cell, pictures)
    generator, critic = generator.to(device), critic.to(device)
    critic.input_shape = pictures.shape  # type: ignore[assignment]  # for methods that need an operator's true norm
    with seeded(cell.seed, "constrain"):
        critic = composition.constrain(critic)
    train = Pictures(train=pictures.train.to(device), held_out=pictures.held_out.to(device))
    trainer = Trainer(generator, critic, composition, LOSSES[cell.protocol.loss], train.train, settings, cell.seed)
    return Built(trainer, train, reference, extractors.find(measured.extractor))


def check(built: Built) -> None:
    """See that the networks do what the training loop expects, without training anything.

    Raises:
        RequestError: a shape is wrong, or the critic mixes samples under a method that needs gradient norms.
    """
    trainer, shape = built.trainer, built.pictures.shape
    points = to_unit(built.pictures.train[:4])
    # Copies: a pass in training mode moves the buffers of batch normalisation and of spectral normalisation.
    generator, critic = deepcopy(trainer.generator), deepcopy(trainer.critic)
    with torch.no_grad():
        fake = generator(torch.zeros(4, trainer.settings.latent_dim, device=points.device))
    if fake.shape != (4, *shape):
        raise RequestError(f"the generator gives {tuple(fake.shape)} for 4 latents; expected {(4, *shape)}")
    try:
        values(critic, points)
    except ValueError as error:
        raise RequestError(str(error)) from None
    if trainer.composition.needs_grad_norm:
        check_independent(critic, points)


def _load(part: Part, locate: Locate) -> Pictures:
    dataset = _create(registry.DATASET, part, locate)
    pictures = dataset.load()
    if not isinstance(pictures, Pictures):
        raise PluginError(f"data set {part} loads {type(pictures).__name__}; expected lipbench.Pictures")
    return pictures


def _create(kind: registry.Kind, part: Part, locate: Locate) -> Any:
    if part.file is None:
        found = registry.find(kind, Name(part.name))
    else:
        found = registry.Found(kind, part.name, _own(part, locate))
    return registry.create(found, part.parameters)


def _own(part: Part, locate: Locate) -> Path:
    """The user's own file, unchanged since it was planned."""
    path = locate(str(part.file))
    if registry.digest(path) != part.sha256:
        raise PluginError(f"{str(path)!r} was changed after the run was planned; give the command again")
    return path


def _architecture(part: Part, locate: Locate) -> nets.Make:
    if part.file is None:
        return nets.find(part.name)
    module = registry.import_file(_own(part, locate))
    function = part.name.partition(":")[2]
    make: nets.Make | None = getattr(module, function, None)
    if not callable(make):
        raise PluginError(f"the architecture file of {part.name!r} defines no function {function!r}")
    return make


def _pair(make: nets.Make, cell: Cell, pictures: Pictures) -> tuple[nn.Module, nn.Module]:
    pair = make(pictures.shape, cell.protocol.train.latent_dim)
    if not (isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(net, nn.Module) for net in pair)):
        raise PluginError(f"architecture {cell.architecture.name!r} gives {type(pair).__name__}; expected two modules")
    if not all(list(net.parameters()) for net in pair):
        raise PluginError(f"architecture {cell.architecture.name!r} gives a network without weights; expected two with")
    return pair


def _reference(cell: Cell, pictures: Pictures) -> Reference:
    split = cell.protocol.evaluate.split
    parts = {"train": [pictures.train], "held_out": [pictures.held_out], "all": [pictures.train, pictures.held_out]}
    return Reference(torch.cat(parts[split]), f"{cell.dataset}-{split}")


@cache
def choose_device(name: str) -> torch.device:
    """The device of this name; ``auto`` is a CUDA device where there is one, else the CPU.

    Raises:
        RequestError: there is no such device on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise RequestError(f"device {name!r} cannot be used ({reason}); expected auto, cpu, cuda or cuda:0") from None
    return device
