"""The embedded digits."""

import torch
from sklearn.datasets import load_digits

from lipbench.data.digits import Digits
from lipbench.interfaces.dataset import to_bytes, to_unit


def test_all_1797_real_digits_are_there_as_bytes_each_in_one_part() -> None:
    pictures = Digits().load()
    assert (len(pictures.train), len(pictures.held_out)) == (1438, 359)
    assert pictures.shape == (1, 8, 8)
    original = (torch.from_numpy(load_digits().images) * 255 / 16).round()
    assert torch.equal(torch.cat([pictures.train, pictures.held_out]).double().sum(), original.sum())


def test_bytes_survive_the_way_to_the_unit_range_and_back() -> None:
    every = torch.arange(256, dtype=torch.uint8).reshape(256, 1, 1, 1)
    assert torch.equal(to_bytes(to_unit(every)), every)
    assert (to_unit(every).min(), to_unit(every).max()) == (-1, 1)


def test_values_outside_the_range_are_cut_rather_than_wrapped() -> None:
    assert to_bytes(torch.tensor([-2.0, 2.0]).reshape(2, 1, 1, 1)).flatten().tolist() == [0, 255]
