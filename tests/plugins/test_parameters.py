"""Values from text."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.errors import RequestError, UnknownNameError
from lipbench.interfaces.plugin import MISSING
from lipbench.plugins.card import Card
from lipbench.plugins.interface import Parameter
from lipbench.plugins.names import expand
from lipbench.plugins.parameters import read_parameters

CARD = Card(
    name="x",
    path=Path("x.py"),
    summary="",
    class_name="X",
    constants={"level": 2.5, "guarantee": "none"},
    reserved=frozenset({"guarantee"}),
    parameters=(
        Parameter("weight", "float", 10.0),
        Parameter("count", "int", 2),
        Parameter("on", "bool", False),
        Parameter("path", "str", "a"),
    ),
)


def read(text: str) -> dict[str, object]:
    return read_parameters(expand(text)[0][0], CARD)


def test_values_get_the_types_of_the_plugins_annotations() -> None:
    assert read("x[weight=1,count=3,on=true,path=b]") == {"weight": 1.0, "count": 3, "on": True, "path": "b"}


def test_a_value_equal_to_its_default_is_left_out() -> None:
    assert read("x[weight=10,count=2,on=False]") == {}


def test_the_order_in_which_parameters_are_given_does_not_matter() -> None:
    assert list(read("x[count=3,weight=1]")) == list(read("x[weight=1,count=3]"))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_is_read_exactly(value: float) -> None:
    assert read(f"x[weight={value!r}]").get("weight", 10.0) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x[weight=abc]", "'abc'; expected a finite number, such as 10.0"),
        ("x[weight=nan]", "expected a finite number"),
        ("x[weight=inf]", "expected a finite number"),
        ("x[count=1.5]", "expected a whole number, such as 2"),
        ("x[on=maybe]", "expected true or false"),
        ("x[level=3]", r"level of x is a constant, 2.5; annotate it to make it a parameter: level: float = 2.5"),
        ("x[guarantee=soft]", "unknown parameter of x 'guarantee'"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(text: str, expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        read(text)


def test_an_unknown_parameter_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="'weigth'.*Did you mean 'weight'"):
        read("x[weigth=1]")


def test_a_parameter_without_a_default_must_be_given() -> None:
    needing = Card(
        name="x", path=Path("x.py"), summary="", class_name="X", parameters=(Parameter("size", "int", MISSING),)
    )
    with pytest.raises(RequestError, match=r"lacks size; expected x\[size="):
        read_parameters(expand("x")[0][0], needing)
