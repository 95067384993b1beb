"""From measured slopes to a verdict in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.measures._slopes import at_least, at_most, steepest, verdict


@pytest.mark.parametrize(
    ("gradient", "secants", "words"),
    [
        (1.3, [1.1, 1.3, 1.3, 1.3], "no jump and no slope above 2 found"),
        (0.999, [1.3, 6.4, 38.0, 307.0], "jumps, no gradient above 2 found"),
        (0.989, [8.3, 63.0, 528.0, 5283.0], "jumps, no gradient above 2 found"),
        (14.9, [14.2, 14.8, 14.9, 14.9], "steeper than 2"),
        (2.43, [2.4, 2.43, 2.43, 2.43], "steeper than 2"),
        (1.2, [2.3, 5.2, 5.2, 5.2], "steeper than 2"),
        (8.5, [9.0, 90.0, 900.0, 9000.0], "jumps, and steeper than 2"),
        (1e-8, [1.4e-14, 1.4e-14, 2.2e-14, 1.1e-13], "no jump and no slope above 2 found"),
        (1e-8, [0.0, 0.0, 0.0, 0.1], "jumps, no gradient above 2 found"),
        # Gradients explain it.
        (0.9, [0.1, 0.1, 0.1, 0.8], "no jump and no slope above 2 found"),
        # A small jump, or a steep piece that is narrow: the secants do not tell.
        (0.99, [0.9, 1.0, 1.03, 2.03], "not decided"),
        (0.99, [0.9, 1.0, 1.0, 2.0], "not decided"),
        (0.99, [0.9, 1.0, 1.2, 2.5], "steeper than 2"),
        # Near the limit.
        (2.03, [2.0, 2.0, 2.0, 2.0], "not decided"),
        (1.95, [1.9, 1.9, 1.9, 1.9], "not decided"),
        (1.95, [1.9, 19.0, 190.0, 1900.0], "not decided"),
    ],
)
def test_the_verdict_follows_from_gradient_and_secants(gradient: float, secants: list[float], words: str) -> None:
    assert verdict(gradient, secants) == words


@given(st.lists(st.floats(1e-2, 1e6), min_size=5, max_size=5), st.sampled_from([0.25, 4.0, 16.0]))
def test_a_score_of_another_scale_is_read_by_its_own_target(slopes: list[float], target: float) -> None:
    own = verdict(slopes[0] * target, [slope * target for slope in slopes[1:]], target)
    assert own == verdict(slopes[0], slopes[1:]).replace("2", f"{2 * target:g}")


@given(st.lists(st.floats(0, 1e9), min_size=5, max_size=5))
def test_what_was_found_is_never_called_unbounded(slopes: list[float]) -> None:
    told = verdict(slopes[0], slopes[1:])
    assert "bounded" not in told
    assert ("steeper than 2" in told) == (steepest(slopes[0], slopes[1:]) > 2.2)


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        (1.0, "1", "1"),
        (1.000001, "1", "1.001"),
        (0.9995049, "0.9995", "0.9996"),
        (1234.5, "1,234", "1,235"),
        (0.0, "0", "0"),
    ],
)
def test_what_is_found_is_rounded_down_and_what_is_proven_up(value: float, least: str, most: str) -> None:
    assert (at_least(value), at_most(value)) == (least, most)
