"""Pictures of a critic's score over the plane."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lipbench.measuring.functions import Function, of_formula
from lipbench.measuring.plane import ALONG, MARGIN, SHOWN, SIDE, box, over_plane, shown


def linear(across: float, up: float, level: float = 0.0) -> Function:
    return of_formula(lambda points: across * points[:, 0, 0, 0] + up * points[:, 1, 0, 0] + level)


@pytest.fixture
def real() -> Tensor:
    """Points from −1 to 3 and from 2 to 3."""
    return torch.tensor([[-1.0, 2.5], [3.0, 2.0], [0.0, 3.0]])[..., None, None]


def test_the_box_is_a_square_around_the_points_with_a_margin(real: Tensor) -> None:
    assert box(real) == (-2, 4, -0.5, 5.5)
    assert MARGIN == 0.25


@given(st.lists(st.tuples(*[st.floats(-1e3, 1e3, width=32)] * 2), min_size=1, max_size=20))
def test_every_point_lies_in_the_box(points: list[tuple[float, float]]) -> None:
    left, right, bottom, top = box(torch.tensor(points)[..., None, None])
    assert right - left == pytest.approx(top - bottom)
    assert right > left
    assert all(left < across < right and bottom < up < top for across, up in points)


def test_a_linear_score_gives_its_plane_in_rows_from_the_bottom_up(real: Tensor) -> None:
    found = over_plane(linear(2.0, -3.0, 0.5), real)
    left, right, bottom, top = found["box"]
    across, up = np.linspace(left, right, SIDE), np.linspace(bottom, top, SIDE)
    np.testing.assert_allclose(found["score"], 2 * across[None, :] - 3 * up[:, None] + 0.5, atol=1e-5)
    assert found["score"].dtype == np.float32
    rising = over_plane(linear(0.0, 1.0), real)["score"]
    assert (np.diff(rising, axis=0) > 0).all()
    assert (np.diff(rising, axis=1) == 0).all()


def test_the_course_along_the_line_is_the_score_there(real: Tensor) -> None:
    bent = of_formula(lambda points: (points[:, 0, 0, 0] - 1).abs() * points[:, 1, 0, 0])
    found = over_plane(bent, real)
    assert found["height"] == 2.5
    np.testing.assert_allclose(found["along"], np.linspace(-2, 4, ALONG), atol=1e-6)
    np.testing.assert_allclose(found["on_line"], 2.5 * np.abs(found["along"] - 1), atol=1e-5)
    middle = found["score"][SIDE // 2]  # the same line, with fewer places
    np.testing.assert_allclose(found["on_line"][:: (ALONG - 1) // (SIDE - 1)], middle, atol=1e-5)


def test_a_constant_critic_gives_a_flat_picture(real: Tensor) -> None:
    found = over_plane(of_formula(lambda points: 0 * points.flatten(1).sum(1) + 0.75), real)
    assert (found["score"] == 0.75).all()
    assert (found["on_line"] == 0.75).all()


def test_the_first_points_are_shown_and_not_more() -> None:
    many = torch.arange(2.0 * SHOWN + 2).view(-1, 2, 1, 1)
    assert shown(many).tolist() == many[:SHOWN].flatten(1).tolist()
    assert shown(many[:3]).shape == (3, 2)
