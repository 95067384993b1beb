"""The classifier of digits."""

from tests.builtin import features


def test_its_id_is_the_one_that_stands_beside_earlier_numbers() -> None:
    assert features("digits-cnn").id == "digits-cnn@f50e5f19"
