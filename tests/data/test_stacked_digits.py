"""Stacks of three digits."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lipbench.data.digits import Digits
from lipbench.data.stacked_digits import StackedDigits
from lipbench.interfaces.modes import Modes
from lipbench.measuring.modes import counted

DATA = StackedDigits()
PICTURES = DATA.load()
DIGITS = Digits().load()


def modes() -> Modes:
    assert PICTURES.modes is not None
    return PICTURES.modes


def test_there_are_20_000_stacks_and_4_000_held_out_ones_and_the_same_at_each_call() -> None:
    assert PICTURES.train.shape == (20_000, 3, 8, 8)
    assert PICTURES.held_out.shape == (4_000, 3, 8, 8)
    again = StackedDigits().load()
    assert torch.equal(again.train, PICTURES.train)
    assert torch.equal(again.held_out, PICTURES.held_out)


@pytest.mark.parametrize("part", ["train", "held_out"])
def test_each_channel_holds_a_digit_of_the_same_part_and_all_of_them_are_used(part: str) -> None:
    digits = {each.numpy().tobytes() for each in getattr(DIGITS, part)[:, 0]}
    channels = getattr(PICTURES, part).flatten(0, 1)
    assert {each.numpy().tobytes() for each in channels} == digits


def test_the_channels_of_a_stack_are_drawn_independently() -> None:
    train, _ = DATA.labels()
    digits = torch.stack([train // 100, train // 10 % 10, train % 10]).double()
    assert (torch.corrcoef(digits) - torch.eye(3)).abs().max() < 0.03  # four standard deviations


def test_all_modes_have_a_probability_above_0_and_these_add_up_to_1() -> None:
    assert modes().count == 1000
    assert modes().probabilities.dtype == torch.float64
    assert modes().probabilities.min() > 0
    assert float(modes().probabilities.sum()) == pytest.approx(1)


def test_the_training_stacks_cover_all_modes_and_diverge_from_their_law_as_a_sample_of_their_number_does() -> None:
    """The expected divergence of n samples of k modes is (k − 1) / 2n."""
    found = counted(modes(), PICTURES.train, None)
    assert (found["modes"], found["modes_covered"]) == (1000, 1000)
    assert found["modes_kl"] == pytest.approx(999 / 40_000, rel=0.15)


def test_the_divergence_of_one_mode_is_the_logarithm_of_its_probability() -> None:
    found = counted(modes(), PICTURES.train[:1].expand(50, -1, -1, -1), None)
    (mode,) = modes().of(PICTURES.train[:1]).tolist()
    assert found["modes_covered"] == 1
    assert found["modes_kl"] == pytest.approx(-float(modes().probabilities[mode].log()))


@given(st.lists(st.integers(0, 9), min_size=3, max_size=3))
def test_digits_that_the_classifier_knows_give_the_mode_that_is_written_with_them(triple: list[int]) -> None:
    labels, _ = Digits().labels()
    stack = torch.cat([DIGITS.train[labels == digit][:1] for digit in triple], dim=1)
    assert modes().of(stack).tolist() == [int("".join(map(str, triple)))]


@pytest.mark.parametrize(("part", "right"), [(0, 0.999), (1, 0.9)], ids=["train", "held_out"])
def test_the_classifier_finds_the_modes_of_the_labels(part: int, right: float) -> None:
    stacks, labels = (PICTURES.train, PICTURES.held_out)[part], DATA.labels()[part]
    assert (modes().of(stacks) == labels).double().mean() >= right


def test_a_stack_has_the_same_mode_alone_and_among_others() -> None:
    some = PICTURES.held_out[:2001]  # one more than are classified at a time
    assert torch.equal(modes().of(some)[-1:], modes().of(some[-1:]))


@given(st.integers(5, 60))
def test_a_count_of_ones_own_leaves_the_law_and_the_labels_as_they_are(count: int) -> None:
    data = StackedDigits(count=count)
    pictures, (train, held_out) = data.load(), data.labels()
    assert (len(pictures.train), len(pictures.held_out)) == (len(train), len(held_out)) == (count, count // 5)
    assert pictures.modes is not None
    assert torch.equal(pictures.modes.probabilities, modes().probabilities)
    assert torch.equal(pictures.modes.of(pictures.train), train)


@pytest.mark.parametrize("count", [-1, 0, 4, 1_000_001])
def test_a_count_that_nobody_means_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"count is {count}; it must be from 5 to 1,000,000"):
        StackedDigits(count=count)
