"""A distribution of points keeps its promises, or is refused by what it breaks."""

from typing import Any

import pytest
import torch

from lipbench import Distribution
from lipbench.errors import PluginError
from lipbench.interfaces.distribution import check


class Square(Distribution):
    """Uniform points in [0, 1]²."""

    def __init__(self, **changed: Any) -> None:
        vars(self).update({"dim": 2, "digest": "00000000"} | changed)

    def sample(self, count: int, rng: torch.Generator) -> Any:
        return torch.rand(count, 2, 1, 1, generator=rng, device=rng.device)


class Point(Square):
    """One point."""

    def sample(self, count: int, rng: torch.Generator) -> Any:
        return torch.ones(count, 2, 1, 1)


def test_a_distribution_that_keeps_its_promises_passes() -> None:
    check(Square())
    check(Point())


def test_what_need_not_be_defined_is_none() -> None:
    square = Square()
    points = square.sample(4, torch.Generator())
    assert (square.shape, square.modes, square.notes) == ((2, 1, 1), None, ())
    assert square.log_density(points) is None
    assert square.near(points) is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dim": 2.0}, "Square.dim is 2.0; expected how many numbers a point has, as an int: self.dim = 2"),
        ({"dim": 0}, "Square.dim is 0; expected"),
        ({"digest": None}, "Square.digest is None; expected eight hex digits"),
        ({"digest": ""}, "Square.digest is ''; expected eight hex digits"),
        ({"dim": 3}, r"points of Square.sample: a tensor of float32 with the shape \(8, 2, 1, 1\) .*\(8, 3, 1, 1\)"),
    ],
    ids=str,
)
def test_attributes_that_are_wrong_are_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(PluginError, match=message):
        check(Square(**changed))


@pytest.mark.parametrize("name", ["dim", "digest"])
def test_attributes_that_are_missing_are_named(name: str) -> None:
    square = Square()
    delattr(square, name)
    with pytest.raises(PluginError, match=f"Square.{name} is None; expected"):
        check(square)


GOOD = torch.rand(8, 2, 1, 1)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (lambda self, n, rng: None, "points of Square.sample: NoneType for 8 points; expected a tensor of float32"),
        (lambda self, n, rng: GOOD.numpy(), "points of Square.sample: ndarray for 8 points"),
        (lambda self, n, rng: GOOD.double(), "points of Square.sample: a tensor of float64"),
        (lambda self, n, rng: GOOD.flatten(1), r"points .* shape \(8, 2\) .*\.reshape\(-1, 2, 1, 1\)"),
        (lambda self, n, rng: GOOD[:7], r"points .* shape \(7, 2, 1, 1\) on cpu for 8 points"),
        (lambda self, n, rng: GOOD * torch.nan, "points of Square.sample are NaN or infinite; expected finite"),
        (lambda self, n, rng: GOOD / 0, "points of Square.sample are NaN or infinite; expected finite"),
        (lambda self, n, rng: GOOD, "gives the same points for generators of different seeds; expected new ones"),
        (lambda self, n, rng: torch.rand(n, 2, 1, 1), "gives other points for a generator of the same seed"),
    ],
)
def test_points_that_are_wrong_are_named(monkeypatch: pytest.MonkeyPatch, sample: Any, message: str) -> None:
    monkeypatch.setattr(Square, "sample", sample)
    with pytest.raises(PluginError, match=message):
        check(Square())
