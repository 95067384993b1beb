"""`lipbench.testing`: what authors of methods use in tests of their own."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lipbench import LipbenchError, Method
from lipbench.plugins import starter
from lipbench.testing import check_method

SMALL = {"architecture": "cnn-8[width=2]", "train.batch_size": 8, "train.generator_batch_size": 8}


class Slopes(Method):
    guarantee = "soft"
    weight: float = 1.0

    def penalty_points(self, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        return real

    def penalty(self, value: Tensor, grad_norm: Tensor) -> Tensor:
        return self.weight * grad_norm.square().mean()


class Wide(Method):
    bound: float = 1e9

    def project(self, critic: nn.Module) -> None:
        for weight in critic.parameters():
            weight.clamp_(-self.bound, self.bound)


def test_a_path_that_passes_gives_all_findings_with_what_was_measured(tmp_path: Path) -> None:
    path = starter.write(tmp_path / "my_method.py")
    found = check_method(path, overrides=SMALL, steps=4)
    assert [finding.outcome for finding in found.findings] == ["passed"] * len(found.findings)
    assert found.findings[-1].numbers["steps"] == 4


def test_an_instance_that_fails_raises_all_failures_in_words() -> None:
    with pytest.raises(AssertionError, match=r"(?s)Slopes fails 1 of 12 checks:.*accepted: failed: .*no weight of 0"):
        check_method(Slopes(weight=0.0), overrides=SMALL, steps=4)


def test_a_class_is_made_with_its_defaults() -> None:
    with pytest.raises(AssertionError, match="changes no weight of this critic"):
        check_method(Wide, overrides=SMALL, steps=4)


@pytest.mark.parametrize(
    ("method", "expected"),
    [("gm", "unknown method 'gm'"), ("gp,sn", "expected one method"), ("", "method is ''; expected")],
)
def test_a_wrong_request_is_no_failure_of_a_method(method: str, expected: str) -> None:
    with pytest.raises(LipbenchError, match=expected):
        check_method(method)


def test_importing_it_imports_nothing_heavy() -> None:
    code = "import sys, lipbench.testing; assert not {'torch', 'pandas', 'pydantic', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
