"""The grammar of names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.errors import RequestError
from lipbench.names import Name, expand, expand_all, read_seeds, split


def test_a_plain_name_is_one_part_without_parameters() -> None:
    assert expand("gn") == [(Name("gn"),)]


def test_a_value_without_a_name_continues_the_list_before_it_as_a_sweep() -> None:
    assert expand("gp[weight=1,10]") == [(Name("gp", (("weight", "1"),)),), (Name("gp", (("weight", "10"),)),)]


def test_several_swept_parameters_give_every_combination() -> None:
    swept = expand("x[a=1,2,b=3,4]")
    assert [dict(parts[0].parameters) for parts in swept] == [
        {"a": "1", "b": "3"},
        {"a": "1", "b": "4"},
        {"a": "2", "b": "3"},
        {"a": "2", "b": "4"},
    ]


def test_a_sum_is_a_composition_and_sweeps_inside_it() -> None:
    assert [len(parts) for parts in expand("sn+gp[weight=1,10]")] == [2, 2]


def test_commas_inside_brackets_do_not_separate_names() -> None:
    assert len(expand_all("gn,gp[weight=1,10],sn")) == 4


def test_a_name_given_twice_is_kept_once() -> None:
    assert expand_all(["gn,sn", "gn"]) == [(Name("gn"),), (Name("sn"),)]


def test_a_path_is_told_from_an_installed_name() -> None:
    assert Name("./my_lp.py").is_path
    assert Name("./my_lp.py").stem == "my_lp"
    assert not Name("gp").is_path


@pytest.mark.parametrize(
    "text",
    ["gp[weight=1", "gp]weight=1[", "gp[a=[1]]", "gp[weight=1]x", "[weight=1]", "", "gp[=1]", "gp[weight=]", "gp[3]"],
)
def test_a_malformed_name_is_refused_with_the_form_that_was_expected(text: str) -> None:
    with pytest.raises(RequestError, match="expected the form"):
        expand(text)


def test_a_parameter_given_twice_is_refused_and_the_sweep_is_shown() -> None:
    with pytest.raises(RequestError, match="weight=1,2 to sweep"):
        expand("gp[weight=1,weight=2]")


@given(st.lists(st.text("abc=1.", min_size=1), min_size=1))
def test_splitting_undoes_joining_wherever_brackets_are_whole(pieces: list[str]) -> None:
    bracketed = [f"{piece}[{piece},{piece}]" for piece in pieces]
    assert split(",".join(bracketed), ",") == bracketed


@given(st.text())
def test_any_text_is_read_or_refused_and_never_crashes(text: str) -> None:
    try:
        parts = expand(text)
    except RequestError:
        return
    assert parts


def test_a_name_prints_as_it_was_written() -> None:
    assert str(expand("gp[weight=1]")[0][0]) == "gp[weight=1]"


@pytest.mark.parametrize(("text", "seeds"), [("0-4", [0, 1, 2, 3, 4]), ("0,2,7-9", [0, 2, 7, 8, 9]), ("3,1,3", [3, 1])])
def test_seeds_are_numbers_and_rising_ranges(text: str, seeds: list[int]) -> None:
    assert read_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "4-0", "-1", "1-", "1.5", "0-4-5", "²"])
def test_anything_else_is_no_seed(text: str) -> None:
    with pytest.raises(RequestError, match="expected the form 0-4"):
        read_seeds(text)
