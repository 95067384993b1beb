"""Noise, and real pictures against real ones."""

from dataclasses import replace

from lipbench.data.stacked_digits import StackedDigits
from lipbench.interfaces.dataset import Pictures
from lipbench.measuring.fidelity import Reference, measure_real
from lipbench.measuring.modes import counted
from lipbench.measuring.yardsticks import yardsticks
from lipbench.request.protocol import check, read
from lipbench.request.schema import adversarial
from tests.builtin import features

STACKS = StackedDigits(count=400).load()
SETTINGS = adversarial(
    check(read("stacked-digits"), {"evaluate.samples": 300, "evaluate.kid_subset_size": 50, "evaluate.kid_subsets": 2})
).evaluate
COUNTED = {"modes", "modes_covered", "modes_kl"}


def measured(pictures: Pictures) -> dict[str, dict[str, float]]:
    extractor, reference = features("stacked-digits-cnn"), Reference(pictures.train, "stacks")
    real = measure_real(reference, extractor)
    return yardsticks(reference, real, pictures.modes, extractor, SETTINGS, cuda=False)


def test_each_has_the_modes_of_the_pictures_that_it_counts() -> None:
    found = measured(STACKS)
    assert (found["noise"]["samples"], found["real"]["samples"]) == (300, 200)
    expected = counted(STACKS.modes, STACKS.train[::2], None)
    assert {key: found["real"][key] for key in COUNTED} == expected
    assert found["noise"]["modes"] == 1000
    assert 1 <= found["noise"]["modes_covered"] <= 300
    assert found["real"]["modes_kl"] < found["noise"]["modes_kl"]


def test_data_without_modes_have_all_else_and_the_same() -> None:
    found, plain = measured(STACKS), measured(replace(STACKS, modes=None))
    assert plain == {name: {key: each[key] for key in each.keys() - COUNTED} for name, each in found.items()}
