"""Modes that samples cover: known answers."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lipbench.data._mixture import Mixture
from lipbench.data.grid import Grid
from lipbench.data.ring import Ring
from lipbench.interfaces.modes import Modes
from lipbench.measuring.modes import counted

COUNT = 8000


def ring(modes: int = 8) -> Mixture:
    found = Ring(modes=modes).load()
    assert isinstance(found, Mixture)
    return found


def of(mixture: Mixture, points: Tensor) -> dict[str, float | int]:
    return counted(mixture.modes, points, mixture.near(points))


@pytest.mark.parametrize("data", [Ring(), Ring(modes=25), Grid()])
def test_real_points_cover_all_modes_evenly(data: Ring | Grid) -> None:
    mixture = data.load()
    assert isinstance(mixture, Mixture)
    found = of(mixture, mixture.sample(COUNT, torch.Generator().manual_seed(3)))
    count = len(mixture.centres)
    assert (found["modes"], found["modes_covered"]) == (count, count)
    # 2n·KL has the chi-squared distribution of k − 1 degrees of freedom.
    assert 0 <= found["modes_kl"] < (count - 1 + 5 * (2 * count) ** 0.5) / (2 * COUNT)
    assert found["high_quality"] == pytest.approx(1 - math.exp(-9 / 2), abs=0.005)


@given(modes=st.integers(1, 60), data=st.data())
def test_a_generator_of_one_mode_covers_1_and_has_a_divergence_of_log_k(modes: int, data: st.DataObject) -> None:
    mixture = ring(modes)
    centre = mixture.centres[data.draw(st.integers(0, modes - 1))]
    found = of(mixture, centre[None, :, None, None].expand(10, 2, 1, 1))
    assert found == {
        "high_quality": 1,
        "modes": modes,
        "modes_covered": 1,
        "modes_kl": pytest.approx(math.log(modes), abs=1e-12),
    }


@given(shares=st.lists(st.integers(0, 20), min_size=2, max_size=12).filter(any))
def test_the_divergence_is_that_of_the_shares_from_the_uniform_distribution(shares: list[int]) -> None:
    mixture = ring(len(shares))
    found = of(mixture, mixture.centres.repeat_interleave(torch.tensor(shares), dim=0)[..., None, None])
    some = [share / sum(shares) for share in shares if share]
    assert found["modes_kl"] == pytest.approx(sum(p * math.log(p * len(shares)) for p in some), abs=1e-12)
    assert found["modes_covered"] == len(some)


def test_the_divergence_is_of_generated_from_real_shares_where_these_are_uneven() -> None:
    class Signs(Modes):
        probabilities = torch.tensor([0.25, 0.75], dtype=torch.float64)

        def of(self, samples: Tensor) -> Tensor:
            return (samples.flatten(1)[:, 0] > 0).long()

    points = torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1)
    found = counted(Signs(), points, None)
    assert found["modes_kl"] == pytest.approx(0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75))


def test_samples_far_from_all_modes_cover_none() -> None:
    found = of(ring(), 10 + torch.rand(50, 2, 1, 1))
    assert (found["modes_covered"], found["high_quality"]) == (0, 0)
    assert found["modes_kl"] > 0


def test_one_sample_of_high_quality_covers_a_mode_among_others_that_are_not() -> None:
    mixture = ring(4)
    points = torch.cat([mixture.centres[:1], 3 * mixture.centres[1:3], mixture.centres[3:]])[..., None, None]
    found = of(mixture, points)
    assert found == {"high_quality": 0.5, "modes": 4, "modes_covered": 2, "modes_kl": 0}


def test_without_modes_there_is_only_a_share_of_high_quality() -> None:
    points = torch.zeros(4, 2, 1, 1)
    assert counted(None, points, torch.tensor([True, False, True, True])) == {"high_quality": 0.75}
    assert counted(None, points, None) == {}


def test_where_quality_is_not_defined_any_sample_covers_its_mode() -> None:
    mixture = ring(4)
    found = counted(mixture.modes, 5 * mixture.centres[:3, :, None, None], None)
    assert found == {"modes": 4, "modes_covered": 3, "modes_kl": pytest.approx(math.log(4 / 3))}
