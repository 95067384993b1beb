"""Precision, recall, density and coverage."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from lipbench.errors import RequestError
from lipbench.measures import prdc
from lipbench.measures.prdc import Prdc
from lipbench.measuring.evaluation import declared


def normal(count: int, dim: int, seed: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))


def by_definition(fake: Any, real: Any, k: int) -> dict[str, float]:
    """The four, as Naeem et al. 2020 and dgm-eval define them."""

    def radii(points: Any) -> Any:
        return NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(points).kneighbors(points)[0][:, k]

    fake, real = fake.double().numpy(), real.double().numpy()
    distances, of_real, of_fake = pairwise_distances(real, fake), radii(real), radii(fake)
    within = distances < of_real[:, None]
    return {
        "precision": within.any(axis=0).mean(),
        "recall": (distances < of_fake).any(axis=1).mean(),
        "density": within.sum(axis=0).mean() / k,
        "coverage": (distances.min(axis=1) < of_real).mean(),
    }


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize(("fakes", "reals", "dim", "shift"), [(300, 200, 2, 0.5), (80, 350, 64, 0.1), (200, 200, 8, 2)])
def test_the_numbers_are_those_of_the_definitions(fakes: int, reals: int, dim: int, shift: float, k: int) -> None:
    fake, real = normal(fakes, dim, 0, 0.8) + shift, normal(reals, dim, 1)
    assert Prdc(k=k).of_features(fake, real) == pytest.approx(by_definition(fake, real, k), abs=1e-6)


@given(st.integers(1, 40), st.integers(0, 10**6))
def test_blocks_change_nothing(numbers: int, seed: int) -> None:
    fake, real = normal(23, 3, seed), normal(17, 3, seed + 1)
    whole = Prdc(k=3).of_features(fake, real)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prdc, "NUMBERS", numbers * len(real))
        patch.setattr(prdc, "_KNOWN", {})
        assert Prdc(k=3).of_features(fake, real) == whole


def test_the_radii_of_real_pictures_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prdc, "_KNOWN", {})
    fake, real = normal(30, 4, 0), normal(40, 4, 1)
    first, other = (Prdc().of_features(fake, points) for points in (real, real + 1))
    asked, radii = [], prdc._radii
    monkeypatch.setattr(prdc, "_radii", lambda points, k: asked.append(len(points)) or radii(points, k))
    assert Prdc().of_features(fake, real + 1) == other
    assert asked == [30]
    assert Prdc().of_features(fake, real) == first != other
    assert asked == [30, 40, 30]


def test_a_case_by_hand() -> None:
    """Real points at 0, 1, 3 with radii 1, 1, 2; generated ones at 0.5, 2, 9 with radii 1.5, 1.5, 7."""
    real, fake = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[0.5], [2.0], [9.0]])
    assert Prdc(k=1).of_features(fake, real) == {
        "precision": pytest.approx(2 / 3),  # 0.5 lies in the balls of 0 and 1, 2 in that of 3: 2 is as far from 1 as 0
        "recall": pytest.approx(1),
        "density": pytest.approx(1),
        "coverage": pytest.approx(1),
    }


def test_real_against_real_is_all_near_1() -> None:
    found = Prdc().of_features(normal(1500, 4, 0), normal(1500, 4, 1))
    assert found == {name: pytest.approx(1, abs=0.05) for name in ("precision", "recall", "density", "coverage")}


def test_a_collapsed_sample_is_precise_and_recalls_nothing() -> None:
    real = normal(1000, 8, 0)
    found = Prdc().of_features(real[:1] + normal(1000, 8, 1, 1e-3), real)
    assert found["precision"] == 1
    assert found["recall"] < 0.01
    assert found["coverage"] < 0.05


def test_equal_pictures_lie_in_no_ball_of_their_own() -> None:
    """A ball of radius 0 is empty, whatever rounding makes of it."""
    real = normal(1, 300, 0, 30.0).expand(50, -1)
    assert Prdc().of_features(real, real) == {"precision": 0.0, "recall": 0.0, "density": 0.0, "coverage": 0.0}


def test_a_sample_of_the_real_pictures_themselves_is_counted_without_ties() -> None:
    """In the ball of each picture lie itself and its k − 1 nearest: the k-th lies on the edge, which is outside."""
    real = normal(400, 50, 0, 3.0)
    assert Prdc().of_features(real.flip(0), real)["density"] == 1.0


def test_too_few_pictures_or_neighbours_are_refused() -> None:
    with pytest.raises(RequestError, match="5-th nearest of 5 generated pictures; expected at least 6, or a smaller k"):
        Prdc().of_features(normal(5, 2, 0), normal(50, 2, 1))
    with pytest.raises(RequestError, match="5-th nearest of 3 real pictures; expected at least 6"):
        Prdc().of_features(normal(50, 2, 0), normal(3, 2, 1))
    with pytest.raises(ValueError, match="k is 0; expected a whole number of at least 1"):
        Prdc(k=0)


def test_the_columns_say_what_is_better_and_how_far_they_reach() -> None:
    columns = declared(Prdc(k=3), "prdc[k=3]")
    assert list(columns) == ["precision", "recall", "density", "coverage"]
    assert all((about["better"], about["low"]) == ("higher", 0) for about in columns.values())
    assert [about["high"] for about in columns.values()] == [1, 1, None, 1]
