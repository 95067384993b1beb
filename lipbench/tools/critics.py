"""Takes anyone's critic in for measurements: a copy that is a function of each point in one number."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lipbench.errors import RequestError
from lipbench.measuring import critic as measuring
from lipbench.train.copies import copied
from lipbench.train.gradients.terms import values
from lipbench.train.mixing import mixer
from lipbench.work.adopt import adopt_critic
from lipbench.work.check import check_arguments

Shape = tuple[int, int, int]
FEW = 4  # points with which a critic is tried
MOVED = 1e-3  # of the largest value: more than rounding, by which power iterations change a critic


def take(given: nn.Module, points: Float[Tensor, "n c h w"], device: torch.device) -> tuple[nn.Module, list[str]]:
    """A copy of a critic that can be measured, in eval mode on the device, and what a reader must know of it.

    Args:
        given: the critic; it is left as it is.
        points: a few, on the device.
        device: where to compute.

    Raises:
        RequestError: it is no function of a point by itself in one number, or a weight is not finite.
    """
    critic, notes = copied(getattr(given, "_orig_mod", given)).eval(), []
    check_arguments(critic, "critic", "points")
    critic = adopt_critic(critic, points.to(next((weight.device for weight in critic.parameters()), device))).to(device)
    if any(weight.is_floating_point() and weight.dtype != torch.float32 for weight in critic.parameters()):
        notes.append("The critic's weights are not in float32; it is measured in that, and in float64.")
        critic = critic.float()
    critic = _shaped(critic, points)
    for name, weight in [*critic.named_parameters(), *critic.named_buffers()]:
        if weight.is_floating_point() and not weight.isfinite().all():
            raise RequestError(
                f"{name!r} of the critic is NaN or infinite; expected finite weights: its training had diverged, or it "
                f"was not initialised"
            )
    mixing = mixer(critic, points, training=False)
    with torch.no_grad():
        before = values(copied(critic).eval(), points)
        critic = measuring.settle(critic).requires_grad_(False)
        moved = float((values(copied(critic), points) - before).abs().max() / before.abs().max())
    if moved > MOVED and mixing is None:
        notes.append(
            f"Power iterations of its spectral normalisation were carried on until they stood still, as training would "
            f"have done; that moved its values by up to {100 * moved:.1f} % of the largest."
        )
    if reason := measuring.not_measurable(critic, points, mixing):
        raise RequestError(
            f"{reason}; expected a function of each point by itself in evaluation mode: put "
            f"what does this under `if self.training`, or take it out"
        )
    return critic, notes


def _shaped(critic: nn.Module, points: Tensor) -> nn.Module:
    """The critic for points (n, c, h, w); one that takes (n, dim) gets them so."""
    try:
        with torch.no_grad():
            values(critic, points)
    except Exception as error:  # whatever a user's network raises
        flat = Flat(critic)
        if points.shape[2:] == (1, 1) and runs(flat, points):
            return flat
        if isinstance(error, ValueError) and str(error).startswith("the critic gives"):
            raise RequestError(str(error)) from None
        raise
    return critic


class Flat(nn.Sequential):
    """A critic of points (n, dim) as one of points (n, dim, 1, 1)."""

    def __init__(self, critic: nn.Module) -> None:
        super().__init__(nn.Flatten(), critic)


def runs(critic: nn.Module, points: Float[Tensor, "n c h w"]) -> bool:
    """Whether a critic gives one number a sample for these points."""
    try:
        with torch.no_grad():
            values(critic, points)
    except Exception:  # whatever a user's network raises
        return False
    return True


def is_exact(critic: nn.Module, points: Float[Tensor, "n c h w"]) -> bool:
    """Whether a critic computes in float64, and not in another precision that it sets itself."""
    with torch.no_grad():
        return runs(critic, points) and critic(points).dtype == torch.float64


@contextmanager
def by_default(dtype: torch.dtype) -> Iterator[None]:
    """Let tensors that are made inside the block without a dtype have this one."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
