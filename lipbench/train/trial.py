"""Each hook of a method or a loss tried by itself: what training would get wrong without a word is refused first.

A penalty that was detached trains the control under the method's name; a score that looks at its neighbours, or a
penalty that draws numbers of its own, makes runs differ that should not.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lipbench.errors import PluginError
from lipbench.interfaces.loss import Loss, compares
from lipbench.interfaces.method import Method, overrides
from lipbench.train.copies import copied
from lipbench.train.streams import generator

COUNT = 32  # values that a hook is tried with
HUGE = 1e6  # weights that no bound leaves as they are
STREAM = "trial of hooks"

Attempt = Callable[[], Any]
Points = Float[Tensor, "n c h w"]


def trials(method: Method, name: str, critic: nn.Module, real: Points, fake: Points) -> dict[str, Attempt]:
    """What there is to try of a method, by the name of the hook; each attempt raises what is wrong.

    Args:
        method: whose hooks are tried.
        name: of the method, for messages.
        critic: as it will be trained; it is left as it is.
        real: a few real points.
        fake: as many fake ones.

    Raises:
        PluginError: by an attempt, where the hook breaks its contract; an exception of the hook itself passes through.
    """
    device = real.device
    known: dict[str, Attempt] = {
        "project": lambda: _project(method, name, critic),
        "score": lambda: _score(method, name, device),
        "penalty_points": lambda: _points(method, name, real, fake),
        "penalty": lambda: _penalty(method, name, device),
        "regulariser": lambda: _regulariser(method, name, critic, real, fake),
    }
    return {hook: attempt for hook, attempt in known.items() if overrides(method, hook)}


def try_loss(loss: Loss, name: str, device: torch.device) -> None:
    """See that a loss is a number by which critic and generator can learn.

    Args:
        loss: tried on scores of both signs.
        name: of the loss, for messages.
        device: of the scores.

    Raises:
        PluginError: it is not; an exception of the loss itself passes through.
    """
    real, fake = spread(COUNT, device)[0], (spread(COUNT, device)[0].flip(0) / 2).detach().requires_grad_()
    beside = (real.detach(),) if compares(loss) else ()
    hooks: dict[str, tuple[Callable[[], Tensor], tuple[Tensor, ...]]] = {
        "critic": (lambda: loss.critic(real, fake), (real, fake)),
        "generator": (lambda: loss.generator(fake, *beside), (fake,)),
    }
    for hook, (ask, scores) in hooks.items():
        what = f"{hook} of loss {name}"
        with torch.enable_grad():
            found = ask()
            _check_number(found, what)
            gradients = torch.autograd.grad(found, scores, materialize_grads=True) if found.requires_grad else ()
        if not (bool(found.isfinite()) and all(bool(each.isfinite().all()) for each in gradients)):
            raise PluginError(
                f"{what} is {float(found.detach()):g}, or has a gradient that is not finite; expected finite numbers"
            )
        if not any(bool(each.any()) for each in gradients):
            raise PluginError(
                f"{what} has no gradient in the scores, so nothing would be learned; expected a function of them "
                f"without detach(), item() or no_grad()"
            )
        if not _equal(ask(), found):
            raise PluginError(
                f"{what} gives something else at each call with the same scores; expected a loss without random numbers"
            )


def spread(count: int, device: torch.device) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Values of both signs and gradient norms from .01 to 100, so that no threshold hides all of them."""
    rng = generator(0, STREAM, "numbers")
    sizes = torch.logspace(-2, 2, count)
    signs = torch.where(torch.rand(count, generator=rng) < 0.5, -1.0, 1.0)
    value, norm = sizes[torch.randperm(count, generator=rng)] * signs, sizes[torch.randperm(count, generator=rng)]
    return value.to(device).requires_grad_(), norm.to(device).requires_grad_()


def _project(method: Method, name: str, critic: nn.Module) -> None:
    copy = copied(critic)
    rng = generator(0, STREAM, "weights")
    with torch.no_grad():
        for weight in copy.parameters():  # so large that no bound is kept by chance
            weight.copy_(HUGE * torch.randn(weight.shape, generator=rng))
        before = {key: weight.clone() for key, weight in copy.state_dict().items()}
        method.project(copy)
        after = copy.state_dict()
    if before.keys() == after.keys() and all(torch.equal(weight, after[key]) for key, weight in before.items()):
        raise PluginError(
            f"project of {name} changes no weight of this critic, not even weights of size {HUGE:g}, so it would train "
            f"the control; expected a change in place, such as weight.clamp_(-bound, bound)"
        )


def _score(method: Method, name: str, device: torch.device) -> None:
    value, norm = spread(COUNT, device)
    with torch.enable_grad():
        score = method.score(value, norm)
        _check_shape(score, (COUNT,), f"score of {name}", f"one number a sample for {COUNT} samples")
        _check_known(score, value, norm, f"score of {name}")
        by_value, _ = _gradients(score.sum(), value, norm)
    if not by_value.any():
        raise PluginError(
            f"score of {name} has no gradient in the critic's value, so nothing would be learned; expected a function "
            f"of the value without detach(), item() or no_grad()"
        )
    if torch.equal(score, value):
        raise PluginError(
            f"score of {name} gives back the value as it is, so it would train the control; expected something else, "
            f"such as value / (grad_norm + value.abs())"
        )
    with torch.no_grad():
        if not _equal(method.score(value, norm), score):
            raise PluginError(
                f"score of {name} gives something else at each call with the same values and norms; expected a score "
                f"that draws no random numbers of its own"
            )
        for index in (0, COUNT // 2, COUNT - 1):
            alone = method.score(value[index : index + 1], norm[index : index + 1])
            if not _equal(alone, score[index : index + 1]):
                raise PluginError(
                    f"score of {name} mixes the samples of a batch: sample {index} has {score[index].item():.4g} "
                    f"among {COUNT} and {alone.flatten()[0].item():.4g} alone; expected each score from its own value "
                    f"and norm, without max, mean or any other sum over the batch"
                )


def _points(method: Method, name: str, real: Points, fake: Points) -> None:
    points, again = _twice(method.penalty_points, f"penalty_points of {name}", real, fake)
    if points is None:
        raise PluginError(
            f"penalty_points of {name} gives nothing (None), so its penalty would never be taken and the control be "
            f"trained; expected points: does it end with return?"
        )
    _check_shape(points, (None, *real.shape[1:]), f"penalty_points of {name}", "points like those of the batch")
    if not len(points):
        raise PluginError(f"penalty_points of {name} gives no points; expected at least one")
    if again is None or not _equal(points, again):
        raise _drawn(f"penalty_points of {name}", "the same samples and the same rng")


def _penalty(method: Method, name: str, device: torch.device) -> None:
    value, norm = spread(COUNT, device)
    with torch.enable_grad():
        penalty = method.penalty(value, norm)
        _check_number(penalty, f"penalty of {name}")
        _check_known(penalty, value, norm, f"penalty of {name}")
        by_value, by_norm = _gradients(penalty, value, norm)
    if not (by_value.any() or by_norm.any()):
        raise PluginError(
            f"penalty of {name} has no gradient, neither in the critic's value nor in its gradient norm, so it would "
            f"train the control; expected a function of them without detach(), item() or no_grad(), and no weight of 0"
        )
    if not _equal(method.penalty(value, norm), penalty):
        raise _drawn(f"penalty of {name}", "the same values and norms")


def _regulariser(method: Method, name: str, critic: nn.Module, real: Points, fake: Points) -> None:
    copy = copied(critic).eval()  # dropout draws from torch's own stream, as it may
    with torch.enable_grad():
        total, again = _twice(partial(method.regulariser, copy), f"regulariser of {name}", real, fake)
        _check_number(total, f"regulariser of {name}")
        weights = [weight for weight in copy.parameters() if weight.requires_grad]
        reached = total.requires_grad and any(
            gradient is not None for gradient in torch.autograd.grad(total, weights, allow_unused=True)
        )
    if not reached:
        raise PluginError(
            f"regulariser of {name} has no gradient in the critic's weights, so it would train the control; expected "
            f"a function of them, or of critic(points), without detach(), item() or no_grad(); "
            f"torch.autograd.grad needs create_graph=True"
        )
    with torch.no_grad():
        steady = torch.equal(copy(real), copy(real))
    if steady and not _equal(total, again):
        raise _drawn(f"regulariser of {name}", "the same samples and the same rng")


def _twice(hook: Callable[..., Any], what: str, real: Points, fake: Points) -> list[Any]:
    """What a hook gives at two calls with the same samples and the same random numbers."""
    before = real.clone(), fake.clone()
    given = [hook(real, fake, generator(0, STREAM, device=real.device)) for _ in range(2)]
    if not (_equal(real, before[0]) and _equal(fake, before[1])):
        raise PluginError(f"{what} changes the batch in place; expected it left as it is: work on real.clone()")
    return given


def _check_number(found: Any, what: str) -> None:
    if isinstance(found, Tensor) and found.dim() > 0:
        raise PluginError(f"{what} gives {_described(found)}; expected a single number: end it with .mean()")
    _check_shape(found, (), what, "a single number")


def _check_shape(found: Any, shape: tuple[int | None, ...], what: str, expected: str) -> None:
    fits = (
        isinstance(found, Tensor)
        and found.is_floating_point()
        and found.dim() == len(shape)
        and all(wanted in (None, size) for wanted, size in zip(shape, found.shape, strict=True))
    )
    if not fits:
        written = "(" + ", ".join("m" if size is None else str(size) for size in shape) + ")"
        raise PluginError(f"{what} gives {_described(found)}; expected {expected}, a float tensor of shape {written}")


def _described(found: Any) -> str:
    if not isinstance(found, Tensor):
        number = " (leave out .item())" if isinstance(found, int | float) else ""
        return "nothing (None)" if found is None else f"{type(found).__name__}{number}"
    return f"a tensor of shape {tuple(found.shape)} and type {str(found.dtype).removeprefix('torch.')}"


def _check_known(found: Tensor, value: Tensor, norm: Tensor, what: str) -> None:
    lost = found.isnan()
    if lost.any():
        at = f" for value {value[lost][0]:.3g} and gradient norm {norm[lost][0]:.3g}" if found.dim() else ""
        raise PluginError(f"{what} is no number (NaN){at}; expected numbers for values of both signs and all norms")


def _gradients(root: Tensor, value: Tensor, norm: Tensor) -> tuple[Tensor, Tensor]:
    if not root.requires_grad:
        return torch.zeros_like(value), torch.zeros_like(norm)
    by_value, by_norm = torch.autograd.grad(root, (value, norm), retain_graph=True, materialize_grads=True)
    return by_value, by_norm


def _equal(mine: Tensor, other: Tensor) -> bool:
    """Equal up to the rounding of another order of summation."""
    return mine.shape == other.shape and torch.allclose(mine, other, rtol=1e-4, atol=1e-6, equal_nan=True)


def _drawn(what: str, given: str) -> PluginError:
    return PluginError(
        f"{what} gives something else at each call with {given}: it draws random numbers of its own, so runs of one "
        f"seed would not be paired with those of other methods; expected all of them from the rng of penalty_points or "
        f"regulariser: torch.rand(…, generator=rng, device=real.device)"
    )
