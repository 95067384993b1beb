"""Makes the networks of a cell and what trains them, and says what does not fit together."""

from contextlib import suppress

import torch
from torch import Tensor, nn

from lipbench.errors import RequestError
from lipbench.interfaces.dataset import Pictures
from lipbench.interfaces.distribution import Distribution
from lipbench.measuring.fidelity import Reference
from lipbench.plugins import registry
from lipbench.plugins.kinds import LOSS, METHOD
from lipbench.plugins.registry import Locate
from lipbench.request.cell import Cell
from lipbench.request.schema import Evaluate, PointsProtocol
from lipbench.train.composition import Composition
from lipbench.train.gradients.choose import choose
from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.gradients.terms import Engine
from lipbench.train.loop import Trainer
from lipbench.train.mixing import mixer
from lipbench.train.points import PointTrainer
from lipbench.train.precision import HALF, set_precision
from lipbench.train.streams import generator as random_generator
from lipbench.train.streams import seeded
from lipbench.train.training import Training
from lipbench.work.adopt import adopt, adopt_critic
from lipbench.work.device import place
from lipbench.work.layout import lay_out, of_critic, of_generator
from lipbench.work.parts import find_architecture

EXAMPLE = 4  # points or latents with which a network is tried as it is made


def build_trainer(
    cell: Cell, pictures: Pictures, locate: Locate, device: torch.device, composition: Composition | None = None
) -> Trainer:
    """Make networks and method, ready to train on the pictures; arguments and errors as of `prepare.create`.

    Where a `composition` is there already, it is taken in place of the methods that the cell names.
    """
    settings = cell.adversarial.train
    if len(pictures.train) < settings.batch_size:
        raise RequestError(
            f"train.batch_size is {settings.batch_size}, but {cell.dataset} has {len(pictures.train)} training "
            f"pictures; expected at most as many: --set train.batch_size={len(pictures.train)}"
        )
    generator, critic, composition = build_networks(cell, pictures.shape, locate, device, composition)
    loss = registry.create(LOSS, cell.loss, locate)
    engine = choose_engine(critic, composition, pictures.shape, settings.precision, device)
    train = place(pictures.train, device)
    trainer = Trainer(generator, critic, composition, loss, train, settings, engine, cell.seed)
    choose_passes(trainer, pictures.shape)
    return trainer


def build_point_trainer(
    cell: Cell, protocol: PointsProtocol, distribution: Distribution, locate: Locate, device: torch.device
) -> PointTrainer:
    """Make networks and method, ready to train on points; arguments and errors as of `prepare.create`."""
    generator, critic, composition = build_networks(cell, distribution.shape, locate, device)
    loss = registry.create(LOSS, cell.loss, locate)
    engine = choose_engine(critic, composition, distribution.shape, protocol.train.precision, device)
    trainer = PointTrainer(generator, critic, composition, loss, distribution, protocol.train, engine, cell.seed)
    choose_passes(trainer, distribution.shape)
    return trainer


def build_networks(
    cell: Cell,
    shape: tuple[int, int, int],
    locate: Locate,
    device: torch.device,
    composition: Composition | None = None,
) -> tuple[nn.Module, nn.Module, Composition]:
    """Make a generator, and a critic as of `build_critic`, as they are before training."""
    make, latent_dim = find_architecture(cell.architecture, locate), cell.latent_dim
    with seeded(cell.seed, "generator init"):
        generator, _ = make(shape, latent_dim)
        generator = adopt(generator, "generator", _example((latent_dim,)))
    generator = lay_out(generator.to(device), shape, of_generator(_example((latent_dim,)).to(device)))
    return generator, *build_critic(cell, shape, latent_dim, locate, device, composition)


def build_critic(
    cell: Cell,
    shape: tuple[int, int, int],
    latent_dim: int,
    locate: Locate,
    device: torch.device,
    composition: Composition | None = None,
) -> tuple[nn.Module, Composition]:
    """Make the critic, constrained, as it is before training, and its methods; errors as of `prepare.create`."""
    composition = composition or Composition(tuple(registry.create(METHOD, part, locate) for part in cell.methods))
    example = _example(shape)
    with seeded(cell.seed, "critic init"):
        _, critic = find_architecture(cell.architecture, locate)(shape, latent_dim)
        critic = adopt_critic(critic, example)
    critic = critic.to(device)
    critic.input_shape = shape  # type: ignore[assignment]  # for methods that need an operator's true norm
    with seeded(cell.seed, "constrain"):
        critic = adopt(composition.constrain(critic), "critic", example)  # a user's constraint may use old hooks
    return lay_out(critic, shape, of_critic(composition, example.to(device))), composition


def choose_engine(
    critic: nn.Module, composition: Composition, shape: tuple[int, int, int], precision: str, device: torch.device
) -> Engine:
    """The engine that can differentiate this critic, and the process set to the precision."""
    set_precision(precision, device)
    if not composition.needs_grad_norm:
        return DoubleBackward()
    return choose(critic, shape, HALF.get(precision))


def choose_passes(training: Training, shape: tuple[int, int, int]) -> None:
    """Let an update take two passes for a critic that mixes samples, as their authors do; see `Training`."""
    if training.composition.needs_grad_norm:
        return
    points = _example(shape).to(training.device)
    with suppress(Exception):  # a user's network may raise anything, and the checks say what
        if mixer(training.critic, points) is not None:
            training.passes, training.mixer = 2, mixer(training.critic, points, training=False)


def _example(shape: tuple[int, ...]) -> Tensor:
    return torch.randn(EXAMPLE, *shape, generator=random_generator(0, "example"))


def choose_reference(pictures: Pictures, dataset: str, settings: Evaluate) -> Reference:
    """The real pictures to compare with: all of the split, or so many of it, drawn once for everyone.

    Raises:
        RequestError: the split is empty, or has fewer.
    """
    chosen, name = pictures.split(settings.split), f"{dataset}-{settings.split}"
    wanted = len(chosen) if settings.real_samples is None else settings.real_samples
    if not 2 <= wanted <= len(chosen):
        raise RequestError(
            f"{wanted} real pictures are wanted of the {settings.split} split of {dataset}, which has {len(chosen)}; "
            f"expected from 2 to as many: --set evaluate.real_samples={len(chosen)}, or another evaluate.split"
        )
    if wanted == len(chosen):
        return Reference(chosen, name)
    drawn = torch.randperm(len(chosen), generator=random_generator(0, "real samples"))[:wanted]
    return Reference(chosen[drawn], f"{name}-{wanted}")
