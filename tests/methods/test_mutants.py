"""A built-in method with one thing changed is refused or stays what it is; it never becomes the control in silence."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lipbench import Method
from lipbench.errors import PluginError
from lipbench.plugins import registry
from lipbench.train.composition import Composition
from lipbench.train.trial import trials
from tests.methods import mutants
from tests.methods.mutants import Mutant
from tests.methods.test_methods import create


def answers(method: Method) -> list[object]:
    """What every hook of a method gives on fixed networks and points."""
    rng = torch.Generator().manual_seed(0)
    real, fake, value, norm = (torch.rand(shape, generator=rng) for shape in ((4, 3, 2, 2), (4, 3, 2, 2), (4,), (4,)))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 1))
        critic = method.constrain(layers)
        with torch.no_grad():
            method.project(critic)
        points = method.penalty_points(real, fake, rng)
        return [
            *critic.state_dict().values(),
            critic(real),
            method.score(value, norm),
            points,
            method.penalty(value, norm),
            method.regulariser(critic, real, fake, rng),
            method.every,
            method.guarantee,
            method.recommended,
        ]


def equal(ones: list[object], others: list[object]) -> bool:
    return len(ones) == len(others) and all(
        torch.equal(one, other) if isinstance(one, Tensor) and isinstance(other, Tensor) else one == other
        for one, other in zip(ones, others, strict=True)
    )


@pytest.mark.parametrize("mutant", [mutant for name in mutants.NAMES for mutant in mutants.same(name)], ids=str)
def test_a_method_written_in_another_way_is_the_same(tmp_path: Path, mutant: Mutant) -> None:
    found, original = mutant.write(tmp_path), mutants.place(mutant.of).card
    card = found.card
    assert (card.hooks, card.parameters) == (original.hooks, original.parameters)
    assert card.constants.get("guarantee") == original.constants.get("guarantee")
    assert equal(answers(registry.instance(found, {})), answers(create(mutant.of)))


@pytest.mark.parametrize("name", ["alp", "gn", "gp", "lp", "sn", "wc"])  # each hook, and a class below another
def test_a_misspelt_hook_is_refused_with_the_right_name(tmp_path: Path, name: str) -> None:
    for mutant in mutants.misspelt(name):
        meant = mutant.change.partition(" ")[0]
        with pytest.raises(PluginError, match=rf"is no hook of a method; did you mean {meant}\?.*begins with an under"):
            registry.load(mutant.write(tmp_path))


@pytest.mark.parametrize("name", [name for name in mutants.NAMES if name != "none"])
def test_no_built_in_method_answers_as_the_control_does(name: str) -> None:
    assert not equal(answers(create(name)), answers(create("none")))


@pytest.mark.parametrize("mutant", [mutant for name in mutants.NAMES for mutant in mutants.broken(name)], ids=str)
def test_a_method_that_no_longer_does_its_work_is_refused_when_it_is_tried(tmp_path: Path, mutant: Mutant) -> None:
    method: Method = registry.instance(mutant.write(tmp_path), {})
    critic = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 1))
    points = torch.rand(4, 3, 2, 2)
    with pytest.raises(PluginError, match=r"changes no|has no gradient|expected a single number"):
        for attempt in trials(method, "mutant", Composition((method,)).constrain(critic), points, points).values():
            attempt()
