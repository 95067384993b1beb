"""Makes everything that a cell with a generator describes, and says what does not fit together."""

from contextlib import suppress
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lipbench.errors import RequestError
from lipbench.interfaces.dataset import Pictures
from lipbench.measuring.features import Features
from lipbench.measuring.fidelity import Reference, fitted
from lipbench.plugins.registry import Locate
from lipbench.request.cell import Cell
from lipbench.request.schema import Evaluate
from lipbench.train.composition import Composition
from lipbench.train.gradients.choose import choose
from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.gradients.terms import Engine
from lipbench.train.loop import Trainer
from lipbench.train.mixing import mixer
from lipbench.train.precision import HALF, set_precision
from lipbench.train.streams import generator as random_generator
from lipbench.train.streams import seeded
from lipbench.train.training import Training
from lipbench.work.adopt import adopt, adopt_critic
from lipbench.work.device import place
from lipbench.work.layout import lay_out
from lipbench.work.parts import create_features, create_loss, create_method, find_architecture, load_pictures

EXAMPLE = 4  # points or latents with which a network is tried as it is made


@dataclass(frozen=True)
class Built:
    """All that training and evaluation need; the networks are on the device.

    Attributes:
        measured: the protocol's ``evaluate`` table, with counts no larger than the data allow.
    """

    trainer: Trainer
    pictures: Pictures
    reference: Reference
    extractor: Features
    measured: Evaluate

    def reduced(self, asked: Evaluate) -> dict[str, int]:
        """The counts that the data made smaller than `asked`, by name."""
        return {
            key: getattr(self.measured, key)
            for key in ("real_samples", "kid_subset_size", "isc_splits")
            if getattr(self.measured, key) != getattr(asked, key)
        }


def build(cell: Cell, locate: Locate, device: torch.device) -> Built:
    """Make data, networks, method and extractor.

    Args:
        cell: what was asked.
        locate: gives the path of a user's own file from its name in the run folder.
        device: where to train.

    Raises:
        RequestError: a plugin cannot be used, or the parts do not fit together.
    """
    pictures = load_pictures(cell.dataset, locate)
    trainer = build_trainer(cell, pictures, locate, device)
    measured = cell.adversarial.evaluate
    real = len(pictures.split(measured.split))
    if measured.real_samples is not None and measured.real_samples > real:
        measured = measured.model_copy(update={"real_samples": real})
    reference = choose_reference(pictures, str(cell.dataset), measured)
    extractor = create_features(cell.extractor, locate)
    extractor.check_shape(pictures.shape, str(cell.dataset))
    return Built(trainer, pictures, reference, extractor, fitted(measured, measured.samples, len(reference.pictures)))


def build_trainer(cell: Cell, pictures: Pictures, locate: Locate, device: torch.device) -> Trainer:
    """Make networks and method, ready to train; arguments and errors as of `build`."""
    settings = cell.adversarial.train
    if len(pictures.train) < settings.batch_size:
        raise RequestError(
            f"train.batch_size is {settings.batch_size}, but {cell.dataset} has {len(pictures.train)} training "
            f"pictures; expected at most as many: --set train.batch_size={len(pictures.train)}"
        )
    composition = Composition(tuple(create_method(part, locate) for part in cell.methods))
    generator, critic = build_networks(cell, composition, pictures.shape, locate, device)
    loss = create_loss(cell.loss, locate)
    engine = choose_engine(critic, composition, pictures.shape, settings.precision, device)
    train = place(pictures.train, device)
    trainer = Trainer(generator, critic, composition, loss, train, settings, engine, cell.seed)
    choose_passes(trainer, pictures.shape)
    return trainer


def build_networks(
    cell: Cell, composition: Composition, shape: tuple[int, int, int], locate: Locate, device: torch.device
) -> tuple[nn.Module, nn.Module]:
    """Make generator and critic, the critic constrained, as they are before training; errors as of `build`."""
    make, latent_dim = find_architecture(cell.architecture, locate), cell.adversarial.train.latent_dim
    with seeded(cell.seed, "generator init"):
        generator, _ = make(shape, latent_dim)
        generator = adopt(generator, "generator", _example((latent_dim,)))
    return generator.to(device), build_critic(cell, composition, shape, latent_dim, locate, device)


def build_critic(
    cell: Cell,
    composition: Composition,
    shape: tuple[int, int, int],
    latent_dim: int,
    locate: Locate,
    device: torch.device,
) -> nn.Module:
    """Make the critic, constrained, as it is before training; errors as of `build`."""
    example = _example(shape)
    with seeded(cell.seed, "critic init"):
        _, critic = find_architecture(cell.architecture, locate)(shape, latent_dim)
        critic = adopt_critic(critic, example)
    critic = critic.to(device)
    critic.input_shape = shape  # type: ignore[assignment]  # for methods that need an operator's true norm
    with seeded(cell.seed, "constrain"):
        critic = adopt(composition.constrain(critic), "critic", example)  # a user's constraint may use old hooks
    return lay_out(critic, composition, example.to(device))


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
