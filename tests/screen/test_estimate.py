"""How long it will still take."""

import pytest

from lipbench.launch.listener import duration
from lipbench.screen.estimate import Estimate


def test_nothing_is_known_before_the_first_steps() -> None:
    estimate = Estimate({"a": "gn"}, {"a": 100}, jobs=1, clock=lambda: 0.0)
    estimate.stepped("a", 1)
    assert estimate.seconds_left is None


def test_each_method_is_expected_to_keep_its_own_speed() -> None:
    now = [0.0]
    methods = {"a": "fast", "b": "slow", "c": "fast", "d": "slow", "e": "unknown"}
    estimate = Estimate(methods, dict.fromkeys(methods, 100), jobs=2, clock=lambda: now[0])
    for run in ("a", "b"):
        estimate.stepped(run, 0)
    now[0] = 10.0
    estimate.stepped("a", 100)  # 0.1 s a step
    estimate.stepped("b", 50)  # 0.2 s a step
    estimate.finished("a")
    assert estimate.fraction == 150 / 500
    assert estimate.seconds_left == pytest.approx((50 * 0.2 + 100 * 0.1 + 100 * 0.2 + 100 * 0.15) / 2)


def test_a_run_that_goes_on_is_not_taken_for_a_fast_one() -> None:
    now = [0.0]
    estimate = Estimate({"a": "gn"}, {"a": 100}, jobs=1, clock=lambda: now[0])
    estimate.stepped("a", 90)
    now[0] = 5.0
    estimate.stepped("a", 95)
    assert estimate.seconds_left == pytest.approx(5)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "…"), (7.6, "8 s"), (59.7, "1 min 00 s"), (200.0, "3 min 20 s"), (7500.0, "2 h 05 min")],
)
def test_durations_are_written_for_people(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
