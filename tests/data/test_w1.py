"""The funnels of the W1 benchmark."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lipbench.data import _funnels
from lipbench.data._funnels import NEAREST, SIDE, Funnels
from lipbench.data.w1 import Benchmark
from lipbench.train.streams import generator

CENTRES = Path(__file__).parents[2] / "results" / "reference" / "w1" / "centres"
PAIRS = st.builds(
    lambda seed, dim, funnels: Benchmark(seed=seed, dim=dim, funnels=funnels),
    seed=st.integers(0, 1000),
    dim=st.integers(1, 8),
    funnels=st.integers(1, 8),
)


def made(**parameters: Any) -> Funnels:
    pair = Benchmark(**parameters).load()
    assert isinstance(pair, Funnels)
    return pair


def drawn(data: Benchmark) -> Funnels:
    """Without taking pains over its true distance."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_funnels, "SAMPLES", _funnels.BLOCK)
        pair = data.load()
    assert isinstance(pair, Funnels)
    return pair


def box(pair: Funnels, count: int, seed: int) -> Tensor:
    rng = generator(seed, "box")  # of a plain seed, the first points would be the centres that the same seed draws
    return SIDE * (2 * torch.rand(count, pair.dim, generator=rng, dtype=torch.float64) - 1)


def distances(pair: Funnels, points: Tensor) -> Tensor:
    """From each point to each centre."""
    return (points[:, None] - pair.centres).norm(dim=2)


def funnel(pair: Funnels, points: Tensor) -> Tensor:
    return (distances(pair, points) + pair.offsets).argmin(dim=1)


def points(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize(("dim", "funnels", "w1", "within"), [(2, 4, 0.8201, 0.005), (16, 16, 1.7355, 0.015)])
def test_the_distance_of_published_centres_is_the_published_one(
    dim: int, funnels: int, w1: float, within: float
) -> None:
    assert made(path=str(CENTRES), dim=dim, funnels=funnels).w1 == pytest.approx(w1, abs=within)


@pytest.mark.parametrize("funnels", [4, 16])
@pytest.mark.parametrize("dim", [2, 4, 8, 16])
def test_the_distance_is_what_the_potential_says_of_two_independent_batches(dim: int, funnels: int) -> None:
    pair = made(path=str(CENTRES), dim=dim, funnels=funnels)
    real, fake = pair.sample(50_000, torch.Generator().manual_seed(1))
    heights = [pair.potential(batch.flatten(1).double()) for batch in (fake, real)]
    error = sum(float(height.var()) / len(height) for height in heights) ** 0.5
    assert float(heights[0].mean() - heights[1].mean()) == pytest.approx(pair.w1, abs=5 * error + 0.01)


@given(PAIRS, st.integers(0, 1000))
def test_transported_points_stay_in_box_and_funnel_on_the_way_to_the_centre(data: Benchmark, seed: int) -> None:
    pair = drawn(data)
    start = box(pair, 64, seed)
    end = pair.transport(start)
    nearest = funnel(pair, start)
    centre = pair.centres[nearest]
    before, after = (start - centre).norm(dim=1), (end - centre).norm(dim=1)
    assert (end.abs() <= SIDE).all()
    assert torch.equal(funnel(pair, end), nearest)
    assert (after <= before * (1 + 1e-12)).all()
    torch.testing.assert_close((end - centre) * before[:, None], (start - centre) * after[:, None])


@given(PAIRS, st.integers(0, 1000))
def test_the_slope_of_the_best_critic_is_minus_the_gradient_of_the_potential(data: Benchmark, seed: int) -> None:
    pair = drawn(data)
    leaf = box(pair, 64, seed).requires_grad_()
    (gradient,) = torch.autograd.grad(pair.potential(leaf).sum(), leaf)
    slope = pair.slope(leaf.detach()[..., None, None]).flatten(1)
    torch.testing.assert_close(slope, -gradient)
    torch.testing.assert_close(slope.norm(dim=1), torch.ones(64, dtype=torch.float64))


def test_the_slope_is_undefined_near_a_centre_alone() -> None:
    pair = made()
    for distance, defined in ((0.0, False), (0.9 * NEAREST, False), (1.1 * NEAREST, True)):
        beside = pair.centres + distance * points([0.6, 0.8])
        slope = pair.slope(beside[..., None, None])
        assert bool(slope.isfinite().all()) == defined
        assert bool(slope.isnan().all()) != defined


def test_a_point_on_a_centre_stays_there() -> None:
    pair = made()
    assert torch.equal(pair.transport(pair.centres), pair.centres)


def test_a_point_straight_above_or_beside_its_centre_moves_straight() -> None:
    pair = Funnels(points([0.5, -0.25]), torch.zeros(1))
    above, beside = pair.transport(points([0.5, 1.125], [-2.5, -0.25]))
    # Half of 2.75 up to the wall; and all of 3.0, which is the wall itself.
    assert above.tolist() == pytest.approx([0.5, -0.25 + 2.75 * 0.5**8])
    assert beside.tolist() == [-2.5, -0.25]


def test_a_ray_ends_at_the_border_between_two_funnels() -> None:
    pair = Funnels(points([-1.0, 0.0], [1.0, 0.0]), torch.tensor([0.0, 0.5]))
    # On the line between the centres the funnels meet at .25, where 1.25 = .75 + .5.
    half, full = pair.transport(points([-0.375, 0.0], [0.25 - 1e-12, 0.0]))
    assert half.tolist() == pytest.approx([-1 + 1.25 * 0.5**8, 0])
    assert full.tolist() == pytest.approx([0.25, 0])


@pytest.mark.slow
@pytest.mark.parametrize(("dim", "funnels"), [(1, 3), (2, 4), (3, 1), (8, 16), (16, 16)])
def test_no_nan_is_among_a_million_points(dim: int, funnels: int) -> None:
    pair, rng = made(dim=dim, funnels=funnels, seed=dim), torch.Generator().manual_seed(dim)
    for _ in range(20):
        for batch in pair.sample(50_000, rng):
            assert batch.isfinite().all()
            assert batch.abs().max() <= SIDE


def test_a_seed_decides_centres_and_samples() -> None:
    one, same, other = (made(seed=seed) for seed in (0, 0, 1))
    assert one.digest == same.digest != other.digest
    for mine, theirs in zip(*(p.sample(9, torch.Generator().manual_seed(3)) for p in (one, same)), strict=True):
        assert torch.equal(mine, theirs)
        assert (mine.shape, mine.dtype) == ((9, 2, 1, 1), torch.float32)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"dim": 0}, "dim and funnels must be at least 1"),
        ({"funnels": 0}, "funnels must be at least 1"),
        ({"path": "x.pt", "seed": 1}, "leave seed out"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(parameters: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Benchmark(**parameters)
