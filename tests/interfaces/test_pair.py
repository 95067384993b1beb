"""A pair of distributions keeps its promises, or is refused by what it breaks."""

from typing import Any

import pytest
import torch

from lipbench import Pair
from lipbench.errors import PluginError
from lipbench.interfaces.pair import check


class Moved(Pair):
    """Uniform points in [0, 1]², and the same moved by 1 along the first axis."""

    def __init__(self, **changed: Any) -> None:
        vars(self).update({"dim": 2, "w1": 1.0, "digest": "00000000"} | changed)

    def sample(self, count: int, rng: torch.Generator) -> Any:
        points = torch.rand(2 * count, 2, 1, 1, generator=rng, device=rng.device)
        return points[:count] + self.slope(points[:count]), points[count:]

    def slope(self, points: Any) -> Any:
        return torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand_as(points)


class Points(Moved):
    """Two points, always the same."""

    def sample(self, count: int, rng: torch.Generator) -> Any:
        return torch.ones(count, 2, 1, 1), torch.zeros(count, 2, 1, 1)


def test_a_pair_that_keeps_its_promises_passes() -> None:
    check(Moved())
    check(Points())


def test_a_slope_that_is_not_defined_somewhere_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Moved, "slope", lambda self, points: torch.full_like(points, torch.nan))
    monkeypatch.setattr(Moved, "sample", Points.sample)
    check(Moved())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dim": 2.0}, "Moved.dim is 2.0; expected how many numbers a point has"),
        ({"dim": 0}, "Moved.dim is 0"),
        ({"w1": torch.tensor(1.0)}, r"Moved.w1 is tensor\(1.\); expected the distance as a finite float above 0"),
        ({"w1": float("inf")}, "Moved.w1 is inf"),
        ({"w1": 0}, "Moved.w1 is 0"),
        ({"digest": None}, "Moved.digest is None; expected eight hex digits"),
        (
            {"dim": 3},
            r"real points of Moved.sample: a tensor of float32 with the shape \(8, 2, 1, 1\) .*\(8, 3, 1, 1\)",
        ),
    ],
    ids=str,
)
def test_attributes_that_are_wrong_are_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(PluginError, match=message):
        check(Moved(**changed))


def test_attributes_that_are_missing_are_named() -> None:
    pair = Moved()
    del pair.w1
    with pytest.raises(PluginError, match="Moved.w1 is None; expected"):
        check(pair)


GOOD = torch.rand(8, 2, 1, 1)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (lambda self, n, rng: None, "Moved.sample gives NoneType; expected two tensors: return real, fake"),
        (lambda self, n, rng: GOOD, r"Moved.sample gives a tensor of float32 with the shape \(8, 2, 1, 1\)"),
        (lambda self, n, rng: (GOOD, GOOD.double()), "fake points of Moved.sample: a tensor of float64"),
        (lambda self, n, rng: (GOOD.flatten(1), GOOD), r"real points .* shape \(8, 2\) .*\.reshape\(-1, 2, 1, 1\)"),
        (lambda self, n, rng: (GOOD.numpy(), GOOD), "real points of Moved.sample: ndarray for 8 points"),
        (lambda self, n, rng: (GOOD, GOOD / 0), "fake points of Moved.sample are NaN or infinite"),
        (lambda self, n, rng: (GOOD + 1, GOOD), "gives the same points for generators of different seeds"),
        (lambda self, n, rng: (torch.rand(n, 2, 1, 1), GOOD), "other points for a generator of the same seed"),
    ],
)
def test_points_that_are_wrong_are_named(monkeypatch: pytest.MonkeyPatch, sample: Any, message: str) -> None:
    monkeypatch.setattr(Moved, "sample", sample)
    with pytest.raises(PluginError, match=message):
        check(Moved())


@pytest.mark.parametrize(
    ("slope", "message"),
    [
        (lambda self, points: 2 * points / points.norm(dim=1, keepdim=True), "Moved.slope has the norm 2 at a real"),
        (lambda self, points: points * torch.inf, "Moved.slope has the norm inf"),
        (lambda self, points: points[:, 0], r"Moved.slope: a tensor of float32 with the shape \(8, 1, 1\)"),
        (lambda self, points: None, "Moved.slope: NoneType for 8 points"),
    ],
)
def test_slopes_that_are_wrong_are_named(monkeypatch: pytest.MonkeyPatch, slope: Any, message: str) -> None:
    monkeypatch.setattr(Points, "slope", slope)
    with pytest.raises(PluginError, match=message.replace("Moved", "Points")):
        check(Points())
