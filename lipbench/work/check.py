"""Sees that networks and methods fit together, without training anything: each message names what does not."""

from collections.abc import Callable
from inspect import signature

import torch
from torch import Tensor, nn

from lipbench.errors import RequestError
from lipbench.interfaces.method import Method
from lipbench.measuring.critic import not_measurable, settled
from lipbench.train.copies import copied
from lipbench.train.gradients.terms import values
from lipbench.train.mixing import check_independent
from lipbench.train.training import Training
from lipbench.train.trial import trials, try_loss
from lipbench.work.networks import check_network
from lipbench.work.stages import Stages

COUNT = 4  # samples of a check
SLACK = 1e-3  # of rounding, beyond −1 and 1
FAR = 100.0  # times the usual latents: an output without a bound shows itself


def check_generator(
    generator: nn.Module, latent_dim: int, shape: tuple[int, int, int], device: torch.device, stages: Stages
) -> Tensor:
    """See that a generator gives pictures in [−1, 1] for latents; it is left as it is.

    Args:
        generator: the network.
        latent_dim: numbers of a latent.
        shape: channels, height and width of a picture.
        device: where the network is.
        stages: tells and explains.

    Returns:
        A few pictures, (COUNT, c, h, w), detached.

    Raises:
        RequestError: it gives something else.
    """
    copy = copied(generator)  # a pass in training mode moves the buffers of batch normalisation
    latents = torch.randn(COUNT, latent_dim, generator=torch.Generator().manual_seed(0)).to(device)
    with stages.stage(
        f"giving the generator latents of shape {tuple(latents.shape)}",
        "a network that takes latents (n, latent_dim), as by nn.Linear",
    ):
        _check_arguments(copy, "generator", "latents")
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
        raise RequestError(
            f"the generator gives {given} for {COUNT} latents; expected pictures of shape {(COUNT, *shape)}"
        )
    with stages.stage("differentiating the generator", "pictures that autograd can follow back to its weights"):
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
    if torch.equal(fake[0], fake[1]) and torch.equal(fake[0], far[0]):
        stages.listener.noted("The generator gives the same picture for all latents.")
    elif lowest >= 0:
        stages.listener.noted(
            f"The generator gives nothing below 0 (it gives {lowest:.3g} to {highest:.3g}), as after a sigmoid; {tanh}."
        )
    return fake


def check_critic(training: Training, names: list[str], loss: str, real: Tensor, fake: Tensor, stages: Stages) -> None:
    """See that critic, methods and loss accept points of this shape.

    Args:
        training: holds critic and methods; it is left as it is.
        names: of the methods.
        loss: its name.
        real: a few real points.
        fake: as many fake ones.
        stages: tells and explains.

    Raises:
        RequestError: a shape is wrong, a hook breaks its contract, or the critic mixes samples under a method that
            needs gradient norms.
    """
    composition, shape = training.composition, tuple(real.shape[1:])
    with stages.stage(
        f"giving the critic points of shape {tuple(real.shape)}", "a critic that gives one number a sample"
    ):
        _check_arguments(training.critic, "critic", "points")
        critic = copied(training.critic)  # a pass in training mode moves the buffers of spectral normalisation
        inputs = real.detach().requires_grad_()
        given = _explained(lambda: values(critic, inputs))
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
    if composition.left_free:
        stages.listener.noted(f"{'+'.join(names)} leaves {', '.join(composition.left_free)} of the critic free.")
    for method, name in zip(composition.methods, names, strict=True):
        for hook, attempt in trials(method, name, critic, real, fake).items():
            with stages.stage(f"trying {hook} of {name}", f"{_call(hook)} that runs with points of shape {shape}"):
                attempt()
    with stages.stage(f"trying loss {loss}", "a loss that runs with scores of shape (n,)"):
        try_loss(training.loss, loss, real.device)


def _runs(network: nn.Module, given: Tensor) -> bool:
    try:
        network(given)
    except Exception:  # a user's network may raise anything
        return False
    return True


def _check_arguments(network: nn.Module, what: str, given: str) -> None:
    """See that a network can be called with one argument.

    Raises:
        RequestError: its ``forward`` takes others.
    """
    try:
        expected = signature(network.forward)
    except ValueError:  # a builtin's
        return
    try:
        expected.bind(None)
    except TypeError as error:
        raise RequestError(
            f"forward of the {what} takes {expected} ({error}); expected {given} alone, forward(self, x): wrap it in a "
            f"module that fixes all else, such as a label: return self.net(x, self.label.expand(len(x)))"
        ) from None


def _call(hook: str) -> str:
    """A hook with its arguments, such as ``penalty(self, value, grad_norm)``."""
    return f"{hook}({', '.join(signature(getattr(Method, hook)).parameters)})"


def _explained(ask: Callable[[], Tensor]) -> Tensor:
    try:
        return ask()
    except ValueError as error:
        raise RequestError(str(error)) from error
