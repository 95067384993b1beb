"""The classifier of digits."""

import torch
from sklearn.datasets import load_digits

from lipbench.data.digits import Digits
from lipbench.extractors.digits_cnn import WEIGHTS, DigitsClassifier
from lipbench.interfaces.dataset import to_unit
from tests.builtin import features


def test_the_shipped_classifier_is_small_and_right_about_digits_it_never_saw() -> None:
    assert WEIGHTS.stat().st_size < 300_000
    classifier = DigitsClassifier()
    classifier.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    labels = torch.from_numpy(load_digits().target)
    held_out = torch.arange(len(labels)) % 5 == 4
    guessed = classifier(to_unit(Digits().load().held_out))[1].argmax(1)
    assert (guessed == labels[held_out]).sum() == 350


def test_its_id_is_the_one_that_stands_beside_earlier_numbers() -> None:
    assert features("digits-cnn").id == "digits-cnn@f50e5f19"
