"""What a critic may come to: dead, far too steep, nearly flat, a batch of one, half precision."""

import torch
from torch import Tensor, nn

from lipbench.errors import Diverged
from lipbench.interfaces.method import overrides
from lipbench.tools.authors.finding import Failed
from lipbench.tools.authors.subject import Subject
from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.loop import Trainer
from lipbench.train.streams import seeded

HUGE, TINY = 1e6, 1e-6
SAFE = (
    "add a small number to what is divided by, or under a root: value / (grad_norm + value.abs() + 1e-12); and see "
    "that no branch of torch.where is infinite"
)


class _Scaled(nn.Module):
    """A critic times a number."""

    def __init__(self, critic: nn.Module, factor: float) -> None:
        super().__init__()
        self.critic, self.factor = critic, factor

    def forward(self, points: Tensor) -> Tensor:
        found: Tensor = self.factor * self.critic(points)
        return found


def survives_a_dead_critic(subject: Subject) -> str:
    """Train on with a critic that is 0 everywhere."""
    _try_hooks(subject, 0.0)
    _advance(subject, 0.0, "a critic whose values and gradients are 0")
    return "finite losses and gradients where the critic and its gradient are 0"


def survives_sizes(subject: Subject) -> str:
    """Train on with a critic that is far too large, and one that is far too small."""
    for factor in (HUGE, TINY):
        _try_hooks(subject, factor)
        _advance(subject, factor, f"a critic times {factor:g}")
    return f"finite losses and gradients with the critic times {HUGE:g} and {TINY:g}"


def survives_one_sample(subject: Subject) -> str:
    """Update the critic with one real and one generated sample."""
    trainer = subject.build()
    real, fake = subject.points(trainer, 1)
    with seeded(subject.cell.seed, "training"):
        loss = trainer.update_critic(real, fake)
    if not loss.isfinite():
        raise Failed(
            f"the critic's loss is {float(loss):g} in a batch of one",
            "use no statistic that one sample does not have: std(unbiased=False) in place of std()",
        )
    _check_weights(trainer, "a batch of one")
    return "a finite update of the critic"


def survives_half_precision(subject: Subject) -> str:
    """Train in bfloat16."""
    trainer = subject.build(precision="bfloat16")
    with seeded(subject.cell.seed, "training"):
        _train(trainer, subject.half, "bfloat16")
    return f"finite over {subject.half} steps on the CPU"


def _try_hooks(subject: Subject, size: float) -> None:
    """Ask score and penalty by themselves, so that the hook can be named."""
    method = subject.method
    for hook in ("score", "penalty"):
        if overrides(method, hook):
            value = torch.tensor([size, -size, size, 0.0], requires_grad=True)
            norm = torch.tensor([size, size, 0.0, size], requires_grad=True)
            with torch.enable_grad():
                found = getattr(method, hook)(value, norm)
                gradients = torch.autograd.grad(found.sum(), (value, norm), allow_unused=True)
            what = "its gradient" if bool(found.isfinite().all()) else "it"
            if not all(each is None or bool(each.isfinite().all()) for each in (found, *gradients)):
                raise Failed(
                    f"{hook} or its gradient is not finite ({what} is not) for values and gradient norms of {size:g}",
                    SAFE,
                )


def _advance(subject: Subject, factor: float, where: str) -> None:
    trainer = subject.build()
    trainer.critic, trainer.engine = _Scaled(trainer.critic, factor), DoubleBackward()
    with seeded(subject.cell.seed, "training"):
        _train(trainer, 2, where)


def _train(trainer: Trainer, steps: int, where: str) -> None:
    try:
        trainer.advance(steps)
    except Diverged as diverged:
        raise Failed(f"{diverged} under {where}", SAFE) from diverged
    _check_weights(trainer, where)


def _check_weights(trainer: Trainer, where: str) -> None:
    for network in (trainer.critic, trainer.generator):
        for name, weight in network.named_parameters():
            if not weight.isfinite().all():
                raise Failed(f"{name} is not finite after a step under {where}: its gradient was not", SAFE)
