"""Sees that networks and methods fit together, without training anything: each message names what does not."""

from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from lipbench.errors import RequestError
from lipbench.interfaces.method import Method
from lipbench.launch.listener import Listener
from lipbench.measures._slopes import EXACT
from lipbench.measuring.bounds import bound
from lipbench.measuring.critic import not_measurable, settled
from lipbench.request.cell import Cell
from lipbench.train.copies import copied, nearby
from lipbench.train.gradients.tape import leaves
from lipbench.train.gradients.terms import values
from lipbench.train.loop import Game
from lipbench.train.mixing import check_independent
from lipbench.train.streams import generator as random_generator
from lipbench.train.streams import seeded
from lipbench.train.training import Training
from lipbench.train.trial import trials, try_loss
from lipbench.work.parts import misfit_of
from lipbench.work.stages import Stages

COUNT = 4  # samples of a check
SLACK = 1e-3  # of rounding, beyond −1 and 1
STREAM = "trial of networks"
FAR = 100.0  # times the usual latents: an output without a bound shows itself


def check_generator(trainer: Game, shape: tuple[int, int, int], stages: Stages, *, bounded: bool = True) -> Tensor:
    """See that a generator gives samples for latents, pictures in [−1, 1]; it is left as it is.

    Args:
        trainer: holds the generator.
        shape: channels, height and width of a picture; (dim, 1, 1) of a point.
        stages: tells and explains.
        bounded: whether it gives pictures, and not points.

    Returns:
        A few samples, (COUNT, c, h, w), detached.

    Raises:
        RequestError: it gives something else.
    """
    generator, latent_dim = trainer.generator, trainer.settings.latent_dim
    copy = copied(generator)  # a pass in training mode moves the buffers of batch normalisation
    latents = torch.randn(COUNT, latent_dim, generator=torch.Generator().manual_seed(0)).to(trainer.device)
    with stages.stage(
        f"giving the generator latents of shape {tuple(latents.shape)}",
        "a network that takes latents (n, latent_dim), as by nn.Linear",
    ):
        check_arguments(copy, "generator", "latents")
        try:
            fake = copy(latents)
        except Exception:
            if _runs(copy, latents[:, :, None, None]):
                raise RequestError(
                    f"the generator takes latents of shape (n, {latent_dim}, 1, 1); expected (n, {latent_dim}): put "
                    f"nn.Unflatten(1, (latent_dim, 1, 1)) before its first layer"
                ) from None
            raise
        with torch.no_grad():
            far = copy(FAR * latents)
    if not isinstance(fake, Tensor) or fake.shape != (COUNT, *shape):
        given = tuple(fake.shape) if isinstance(fake, Tensor) else type(fake).__name__
        raise RequestError(f"the generator gives {given} for {COUNT} latents; expected {(COUNT, *shape)}")
    with stages.stage("differentiating the generator", "samples that autograd can follow back to its weights"):
        fake.sum().backward()
        fake = fake.detach()
    with stages.stage("trying a copy of the generator", "a network that is all in its modules"):
        check_network(generator, "generator", latents, stages.listener)
    left = [name for name, weight in copy.named_parameters() if weight.requires_grad and weight.grad is None]
    if left:
        stages.listener.noted(
            f"{len(left)} weights of the generator get no gradient and stay as they are, {left[0]!r} first: is "
            f"something detached, unused, or behind a checkpoint(…, use_reentrant=True)?"
        )
    constant = torch.equal(fake[0], fake[1]) and torch.equal(fake[0], far[0])
    if not bounded:
        if constant and sum(weight.numel() for weight in generator.parameters()) > 1:
            stages.listener.noted("The generator gives the same point for all latents.")
        return fake
    lowest, highest = float(fake.min()), float(fake.max())
    tanh = "expected −1 to 1, as real pictures have: end it with nn.Tanh()"
    if not max(-lowest, highest) <= 1 + SLACK:
        raise RequestError(
            f"the generator gives pictures from {lowest:.3g} to {highest:.3g}, and what lies outside −1 to 1 is cut "
            f"off before it is measured; {tanh}"
        )
    lowest, highest = min(lowest, float(far.min())), max(highest, float(far.max()))
    if max(-lowest, highest) > 1 + SLACK:
        stages.listener.noted(
            f"The generator has no bound (it gives {lowest:.3g} to {highest:.3g} for large latents), and what lies "
            f"outside −1 to 1 is cut off before it is measured; {tanh}."
        )
    if constant:
        stages.listener.noted("The generator gives the same picture for all latents.")
    elif lowest >= 0:
        stages.listener.noted(
            f"The generator gives nothing below 0 (it gives {lowest:.3g} to {highest:.3g}), as after a sigmoid; {tanh}."
        )
    return fake


def check_critic(training: Training, cell: Cell, real: Tensor, fake: Tensor, stages: Stages) -> None:
    """See that critic, methods and loss accept points of this shape.

    Args:
        training: holds critic and methods; it is left as it is.
        cell: names the methods and the loss.
        real: a few real points.
        fake: as many fake ones.
        stages: tells and explains.

    Raises:
        RequestError: a shape is wrong, a hook breaks its contract, or the critic mixes samples under a method that
            needs gradient norms.
    """
    composition, names, loss = training.composition, [str(part) for part in cell.methods], str(cell.loss)
    with stages.stage(
        f"giving the critic points of shape {tuple(real.shape)}", "a critic that gives one number a sample"
    ):
        check_arguments(training.critic, "critic", "points")
        critic = copied(training.critic)  # a pass in training mode moves the buffers of spectral normalisation
        inputs = real.detach().requires_grad_()
        try:
            given = values(critic, inputs)
        except ValueError as error:
            raise RequestError(str(error)) from error
    with stages.stage(
        "differentiating the critic at its points",
        "values that autograd can follow back to the points: no detach() or torch.no_grad() on the way, and "
        "checkpoint(…, use_reentrant=False) where activations are computed again",
    ):
        torch.autograd.grad(given.sum(), inputs)
    with stages.stage("trying a copy of the critic", "a network that is all in its modules"):
        check_network(training.critic, "critic", inputs, stages.listener)
    with stages.stage("seeing whether the critic is a function of each point", "a critic that can be run in training"):
        if composition.needs_grad_norm:
            check_independent(critic, real)
        if reason := not_measurable(settled(critic), real, training.mixer):
            stages.listener.noted(f"Nothing of the critic is measured: {reason}.")
    if "certified" in composition.guarantee and not composition.score_needs_grad_norm:
        with stages.stage("proving what is certified", "a critic that can be run in training"):
            _check_certificate(settled(critic), "+".join(names), composition.lipschitz_target, real, stages)
    if composition.left_free:
        stages.listener.noted(f"{'+'.join(names)} leaves {', '.join(composition.left_free)} of the critic free.")
    for method, name in zip(composition.methods, names, strict=True):
        for hook, attempt in trials(method, name, critic, real, fake).items():
            with stages.stage(
                f"trying {hook} of {name}", f"{_call(hook)} that runs with points of shape {tuple(real.shape[1:])}"
            ):
                attempt()
    with stages.stage(f"trying loss {loss}", "a loss that runs with scores of shape (n,)"):
        try_loss(training.loss, loss, real.device)


def _check_certificate(critic: nn.Module, name: str, target: float, real: Tensor, stages: Stages) -> None:
    """Say where a certificate does not reach from the layers to the critic, as over residual sums."""
    channels, height, width = real.shape[1:]
    found = bound(critic, (channels, height, width))
    if found.value is None:
        stages.listener.noted(f"{name} is certified, and no bound of this critic is proven: {found.obstacle}.")
    elif found.value > target * (1 + EXACT):
        stages.listener.noted(
            f"{name} aims at a Lipschitz constant of {target:g}, and of this critic {found.value:.3g} is proven: its "
            f"layers keep to their norms, and what joins them (a sum of branches, pooling) does not."
        )


def check_network(network: nn.Module, what: str, given: Tensor, listener: Listener) -> None:
    """See that all that a network computes with is trained, copied and saved.

    Args:
        network: it is left as it is; it can be run.
        what: ``generator`` or ``critic``.
        given: a few latents or points.
        listener: is told what is only to be known.

    Raises:
        RequestError: a weight is not its own, or none is trained.
    """
    if not any(weight.requires_grad for weight in network.parameters()):
        raise RequestError(f"the {what} has no weight that is trained: expected one with requires_grad=True")
    first = next(network.parameters())
    moved, copy = nearby(network, random_generator(0, STREAM), first.dtype), copied(network)
    before = _numbers(copy)
    with seeded(0, STREAM):
        out = copy(given)
    with seeded(0, STREAM), torch.no_grad():
        other = moved(given)
    own = {id(weight) for weight in copy.parameters()}
    strange = [leaf for leaf in leaves(out) if id(leaf) not in own and leaf is not given]
    if torch.equal(out, other) and torch.equal(out, _opposite(moved, given)):
        if not strange:
            listener.noted(f"The {what} gives the same whatever its weights are: nothing of it can be learnt.")
        else:
            raise RequestError(
                f"a copy of the {what} with other weights gives the same: it computes with those of the original, so "
                f"averages and measurements would be of something else; expected no function that is kept as an "
                f"attribute (self.run = lambda x: self.layer(x)): write it as a method"
            )
    if strange:
        shapes = ", ".join(" × ".join(map(str, leaf.shape)) or "a number" for leaf in strange[:3])
        more = ", …" if len(strange) > 3 else ""
        raise RequestError(
            f"the {what} computes with {len(strange)} weights ({shapes}{more}) that belong to none of its modules, so "
            f"they would be neither trained nor saved; expected layers as attributes, in nn.ModuleList or "
            f"nn.Sequential, and weights in nn.Parameter"
        )
    changed = sorted(name for name, value in _numbers(copy).items() if value != before.get(name, value))
    if changed:
        listener.noted(
            f"The {what} changes {', '.join(changed)} at each pass, which no checkpoint holds: a run that is "
            f"interrupted goes on with the value from the start; expected a buffer: self.register_buffer(…)."
        )


def _opposite(network: nn.Module, given: Tensor) -> Tensor:
    """What a network gives with all weights negated: of a single number normalisation leaves the sign alone."""
    with seeded(0, STREAM), torch.no_grad():
        for weight in network.parameters():
            weight.neg_()
        opposite: Tensor = network(given)
    return opposite


def _runs(network: nn.Module, given: Tensor) -> bool:
    try:
        network(given)
    except Exception:  # a user's network may raise anything
        return False
    return True


def check_arguments(network: nn.Module, what: str, given: str) -> None:
    """See that a network is called with one argument.

    Args:
        network: whose forward is asked.
        what: ``generator`` or ``critic``.
        given: what it takes, such as ``points``.

    Raises:
        RequestError: its forward needs more.
    """
    if misfit := misfit_of(network.forward, None):
        raise RequestError(
            f"forward of the {what} {misfit}; expected {given} alone, forward(self, x): wrap it in a module that fixes "
            f"all else, such as a label: return self.net(x, self.label.expand(len(x)))"
        )


def _call(hook: str) -> str:
    """A hook with its arguments, such as ``penalty(self, value, grad_norm)``."""
    return f"{hook}({', '.join(signature(getattr(Method, hook)).parameters)})"


def _numbers(network: nn.Module) -> dict[str, Any]:
    """The plain numbers that are attributes of its modules."""
    return {
        f"{path}.{name}".removeprefix("."): value
        for path, module in network.named_modules()
        for name, value in vars(module).items()
        if isinstance(value, int | float) and name != "training"
    }
