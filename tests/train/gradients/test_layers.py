"""Each layer that published critics use is known to the three sweeps, and exact."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lipbench.train.gradients.choose import choose
from lipbench.train.gradients.terms import Term
from lipbench.train.gradients.three_sweeps import ThreeSweeps
from tests.train.gradients.layers import ELEMENTWISE, LAYERS, POOLS, critic_of
from tests.train.gradients.test_exact import assert_equal_gradients, score


def points_with_kinks(seed: int) -> Tensor:
    """Points of which many numbers are −1, 0 and 1, as those of pictures are, and one point of a single number."""
    points = 2 * torch.randn(5, 2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    points[1:3] = points[1:3].clamp(-1, 1).round()
    points[3] = -1
    return points


def terms(points: Tensor) -> list[Term]:
    """A score, a penalty on a part of the points, and one at others."""
    return [
        Term(points, score),
        Term(points, lambda value, norm: norm.square().mean(), rows=slice(1, 2)),
        Term(points[:2] + 1, lambda value, norm: (norm - 1).square().mean()),
        Term(points.clone(), lambda value, norm: (value * norm).sin().sum(), rows=slice(1, 3)),
    ]


EVEN = "ignore:Using padding='same' with even kernel"  # torch's own remark


@pytest.mark.filterwarnings(EVEN)
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_gets_the_three_sweeps_and_is_exact(name: str) -> None:
    torch.manual_seed(0)
    critic = critic_of(LAYERS[name]())
    assert choose(critic, (2, 4, 4)).reason is None
    assert_equal_gradients(critic.double(), terms(points_with_kinks(0)), tolerance=1e-11)


@pytest.mark.filterwarnings(EVEN)
@given(names=st.lists(st.sampled_from(sorted(LAYERS)), min_size=2, max_size=6), seed=st.integers(0, 1000))
@settings(max_examples=40)
def test_random_critics_of_all_layers_are_exact(names: list[str], seed: int) -> None:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for name in names:
        layers += [LAYERS[name](), nn.Conv2d(4, 4, 1), nn.LeakyReLU(0.2, inplace=True)]
    critic = critic_of(*layers).double()
    assert_equal_gradients(critic, terms(points_with_kinks(seed)), tolerance=1e-11)


@pytest.mark.filterwarnings(EVEN)
@pytest.mark.parametrize("name", [name for name in ELEMENTWISE | POOLS if "prelu" not in name])  # see _prelu
def test_a_layer_at_its_kinks_is_as_autograd_has_it(name: str) -> None:
    torch.manual_seed(0)
    layer = LAYERS[name]()
    critic = nn.Sequential(nn.Conv2d(2, 4, 1, bias=False), layer, nn.Flatten(1), nn.LazyLinear(1))
    nn.init.constant_(critic[0].weight, 0.5)  # what is −1, 0 or 1 stays on a grid of halves
    critic = critic.double()
    points = points_with_kinks(0)[1:4]
    critic(points)
    assert_equal_gradients(critic, terms(points), tolerance=1e-11)


@pytest.mark.filterwarnings(EVEN)
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_runs_in_half_precision(name: str) -> None:
    torch.manual_seed(0)
    critic = critic_of(LAYERS[name]())
    points = torch.randn(4, 2, 4, 4)
    found = []
    for engine in (ThreeSweeps(torch.bfloat16), ThreeSweeps()):
        critic.zero_grad()
        engine.accumulate(critic, [Term(points, lambda value, norm: (value + norm).sum())])
        found.append(torch.cat([weight.grad.flatten() for weight in critic.parameters() if weight.grad is not None]))
    assert float((found[0] - found[1]).norm()) < 0.2 * float(found[1].norm())
