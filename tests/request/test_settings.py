"""Settings as they are given."""

import pytest

from lipbench.errors import RequestError
from lipbench.request.settings import read_setting, with_arguments


@pytest.mark.parametrize(
    ("text", "value"),
    [("a.b=64", 64), ("a.b=5e-4", 5e-4), ("a.b=true", True), ("a.b=hinge", "hinge"), ("a.b=[0.5,0.9]", [0.5, 0.9])],
)
def test_a_setting_is_read_as_toml_or_else_as_text(text: str, value: object) -> None:
    assert read_setting(text) == ("a.b", value)


@pytest.mark.parametrize("text", ["a.b", "=1", "a.b="])
def test_a_setting_without_key_or_value_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="expected the form"):
        read_setting(text)


def test_an_argument_is_laid_over_the_settings_where_it_is_given() -> None:
    assert with_arguments({"a": 1}, {"b": 2, "c": None}) == {"a": 1, "b": 2}
    assert with_arguments({"a": 1}, {"a": 1}) == {"a": 1}
    with pytest.raises(RequestError, match="setting a is given twice, as 1 and 2; expected one value"):
        with_arguments({"a": 1}, {"a": 2})
