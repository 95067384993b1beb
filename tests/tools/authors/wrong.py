"""Methods that break one rule each, as a user's own files, by the check that finds it."""

HEAD = '''"""A wrong method."""

import random

import numpy as np
import torch
from torch import nn

from lipbench import Method


class _Halves(nn.Module):
    """Counts its passes where no checkpoint looks."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.passes = inner, 0

    def forward(self, x):
        self.passes += 1
        return self.inner(x) * (1 + 1e-3 * self.passes)


class Mine(Method):
'''
BETWEEN = """    def penalty_points(self, real, fake, rng):
        mix = torch.rand(len(real), 1, 1, 1, generator=rng, device=real.device)
        return mix * real + (1 - mix) * fake
"""


def _penalty(*lines: str) -> str:
    return f"{BETWEEN}    def penalty(self, value, grad_norm):\n" + "".join(f"        {line}\n" for line in lines)


def _points(*lines: str) -> str:
    body = "".join(f"        {line}\n" for line in lines)
    return (
        f"    def penalty_points(self, real, fake, rng):\n{body}"
        "    def penalty(self, value, grad_norm):\n        return grad_norm.square().mean()\n"
    )


def _hook(hook: str, *lines: str) -> str:
    return f"    def {hook}:\n" + "".join(f"        {line}\n" for line in lines)


REGULARISER = "regulariser(self, critic, real, fake, rng)"
# What is wrong, the check that says so, and the body of the class.
WRONG: dict[str, tuple[str, str]] = {
    "a hook without its self": ("accepted", _hook("project(critic)", "pass")),
    "a constraint that crashes": ("accepted", _hook("constrain(self, critic)", "return critic.layers[0]")),
    "points from torch's own numbers": ("accepted", _points("return real + torch.randn(real.shape)")),
    "points in the batch itself": ("accepted", _points("return real.mul_(0.5)")),
    "points from the mean picture": ("sample by sample", _points("return 0.5 * real + 0.5 * fake.mean(0)")),
    "a penalty of neighbours": (
        "sample by sample",
        _penalty("return (grad_norm - grad_norm.roll(1)).square().mean()"),
    ),
    "a score by a neighbour's place": (
        "sample by sample",
        _hook(
            "score(self, value, grad_norm)",
            "sign = torch.ones(len(value))",
            "if len(value) == 32: sign[7] = 2",
            "return 0.5 * value * sign",
        ),
    ),
    "batch normalisation": (
        "sample by sample",
        _hook("constrain(self, critic)", "return nn.Sequential(critic, nn.BatchNorm1d(1))"),
    ),
    "a norm cut off in place": (
        "nothing in place",
        _penalty("with torch.no_grad():", "    grad_norm.clamp_(min=1)", "return grad_norm.square().mean()"),
    ),
    "a critic left in evaluation": (
        "nothing in place",
        _hook(REGULARISER, "critic.eval()", "return critic(real).square().mean()"),
    ),
    "weights clipped on the way": (
        "nothing in place",
        _hook(
            REGULARISER,
            "for weight in critic.parameters(): weight.data.clamp_(-0.01, 0.01)",
            "return critic(real).square().mean()",
        ),
    ),
    "a bound that nothing reaches": (
        "not the control",
        _hook("project(self, critic)", "for weight in critic.parameters(): weight.clamp_(-100, 100)"),
    ),
    "a second hook that is idle": (
        "not the control",
        _penalty("return grad_norm.square().mean()")
        + _hook("project(self, critic)", "for weight in critic.parameters(): weight.clamp_(-100, 100)"),
    ),
    "numbers drawn and thrown away": (
        "random numbers",
        _penalty("torch.rand(1), random.random(), np.random.rand()", "return grad_norm.square().mean()"),
    ),
    "numbers of the system": (
        "random numbers",
        _penalty("noise = 1e-5 * random.SystemRandom().random()", "return (1 + noise) * grad_norm.square().mean()"),
    ),
    "a seed set anew": (
        "random numbers",
        _hook("score(self, value, grad_norm)", "torch.manual_seed(0)", "return value / (1 + grad_norm)"),
    ),
    "calls counted in the class": (
        "resuming",
        "    calls = 0\n"
        + _penalty("type(self).calls += 1", "return (1 + 1e-5 * type(self).calls) * grad_norm.square().mean()"),
    ),
    "passes counted beside the buffers": ("resuming", _hook("constrain(self, critic)", "return _Halves(critic)")),
    "a score by the norm alone": ("dead critic", _hook("score(self, value, grad_norm)", "return value / grad_norm")),
    "a gradient that is infinite at 0": (
        "dead critic",
        _penalty("return grad_norm.square().mean() + value.abs().sqrt().mean()"),
    ),
    "a penalty that grows too fast": ("huge and tiny", _penalty("return grad_norm.exp().mean()")),
    "a deviation of one": ("batch of one", _penalty("return grad_norm.square().mean() + value.std()")),
    "a certificate of a soft penalty": (
        "guarantee",
        "    guarantee = 'certified'\n" + _penalty("return 0.1 * (grad_norm - 3).square().mean()"),
    ),
    "a certificate that no proof reaches": (
        "guarantee",
        "    guarantee = 'certified'\n"
        + _hook("project(self, critic)", "for weight in critic.parameters(): weight.clamp_(-0.2, 0.2)"),
    ),
    "a score steeper than its promise": (
        "guarantee",
        "    guarantee = 'almost everywhere'\n"
        + _hook("score(self, value, grad_norm)", "return 5 * value / (grad_norm + 1e-6)"),
    ),
}


def text(wrong: str) -> str:
    """The file of a wrong method."""
    return HEAD + WRONG[wrong][1]
