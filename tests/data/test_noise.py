"""Noise as a data set."""

import pytest
import torch

from lipbench.data.noise import Noise


def test_it_is_uniform_and_the_same_at_each_call() -> None:
    pictures = Noise(side=16, channels=1, count=500).load()
    assert pictures.train.shape == (500, 1, 16, 16)
    assert pictures.held_out.shape == (50, 1, 16, 16)
    assert torch.equal(pictures.train, Noise(side=16, channels=1, count=500).load().train)
    assert pictures.train.float().mean().item() == pytest.approx(127.5, abs=1)


def test_sizes_that_hold_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="count at least 10"):
        Noise(count=9)
