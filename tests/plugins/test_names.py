"""The grammar of names."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.errors import RequestError
from lipbench.plugins.names import Name, expand, expand_all, read_seeds, split


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


@pytest.mark.parametrize(("text", "seeds"), [("0-4", [0, 1, 2, 3, 4]), ("0,2,7-9", [0, 2, 7, 8, 9]), ("3,1,3", [3, 1])])
def test_seeds_are_numbers_and_rising_ranges(text: str, seeds: list[int]) -> None:
    assert read_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "4-0", "-1", "1-", "1.5", "0-4-5", "²"])
def test_anything_else_is_no_seed(text: str) -> None:
    with pytest.raises(RequestError, match="expected the form 0-4"):
        read_seeds(text)


PRINTABLE = st.text(st.sampled_from(" ,[]+='\"") | st.characters(exclude_categories=("C",)), max_size=8)
BASES = PRINTABLE.filter(str.strip)
KEYS = st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True)


@given(st.lists(st.tuples(BASES, st.dictionaries(KEYS, PRINTABLE, max_size=2)), min_size=1, max_size=2))
def test_whatever_a_name_holds_its_text_reads_back_as_the_same(parts: list[tuple[str, dict[str, str]]]) -> None:
    names = tuple(Name(base, tuple(parameters.items())) for base, parameters in parts)
    assert expand_all(f"{'+'.join(map(str, names))},gn") == list(dict.fromkeys([names, (Name("gn"),)]))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('folder[path="/data/run,batch32",size=32]', "/data/run,batch32"),
        ("folder[path='/data/run[1] = x+y',size=32]", "/data/run[1] = x+y"),
        ('folder[path = " it\'s " , size=32]', " it's "),
        ("folder[path='it''s',size=32]", "it's"),
        ("folder[path=it's,size=32]", "it's"),
        ("folder[path=a=b,size=32]", "a=b"),
        ('folder[path="",size=32]', ""),
    ],
)
def test_a_value_in_quotation_marks_is_taken_as_it_is(text: str, path: str) -> None:
    assert expand_all(text) == [(Name("folder", (("path", path), ("size", "32"))),)]


def test_a_sweep_over_quoted_values_and_plain_ones() -> None:
    swept = expand('folder[path="a,b",c,"d=e"]')
    assert [parts[0].parameters[0][1] for parts in swept] == ["a,b", "c", "d=e"]


def test_the_path_of_a_file_of_ones_own_can_be_quoted() -> None:
    assert expand('"./a,b+c/x.py"[w=1]+sn') == [(Name("./a,b+c/x.py", (("w", "1"),)), Name("sn"))]
    assert Name("./a,b/x.py").stem == "x"


@pytest.mark.parametrize("text", ["gp[weight=1]", "./it's.py[a=b=c]", "./a=b.py", "folder[path=/data/a b/x+y,size=32]"])
def test_what_needs_no_quotation_marks_gets_none(text: str) -> None:
    assert str(expand(text)[0][0]) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('folder[path="a,b]', "a quotation mark without its partner; expected the form"),
        ('folder[path="a"b]', "goes on after its quotation mark; expected the form path"),
        ('"gp"x', "goes on after its bracket or quotation mark"),
        ("gp[a=1][b=2]", "without its partner"),
        ("folder[path=/data/run[1]]", 'is quoted, as in .folder.path="a,b",size=32'),
    ],
)
def test_marks_and_brackets_that_do_not_fit_are_refused_and_quoting_is_shown(text: str, expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        expand(text)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("run,batch32", "folder[path={}/run,batch32,size=32]"),
        ("a,b,c", "folder[path=x,{}/a,b,c,size=32]"),
        ("my,own.py", "gn,{}/my,own.py[weight=1]"),
        ("my+own.py", "{}/my+own.py"),
    ],
)
def test_an_unquoted_path_that_exists_is_not_parted_into_others(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).touch()
    with pytest.raises(RequestError, match=re.escape(f'quotation marks: "{tmp_path}/{file}" for the one path')):
        expand_all(text.format(tmp_path))


def test_a_folder_that_is_called_like_a_list_of_methods_is_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("gn,sn", "1,10"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert len(expand_all("gn,sn,gp[weight=1,10]")) == 4


def test_a_path_stands_for_itself_whatever_characters_it_has() -> None:
    assert expand_all([Path("a,b/x[1].py"), "gn"]) == [(Name("a,b/x[1].py"),), (Name("gn"),)]
    assert expand_all(Path("mine.py")) == [(Name("mine.py"),)]


def test_a_text_that_utf_8_cannot_hold_is_refused() -> None:
    with pytest.raises(RequestError, match="holds bytes that are no text in this locale; expected UTF-8"):
        expand_all("./b\udce1la.py")


def test_a_seed_has_as_many_digits_as_a_table_can_hold() -> None:
    assert read_seeds("1234567890") == [1234567890]
    assert read_seeds(f"{2**63 - 2}-{2**63 - 1}") == [2**63 - 2, 2**63 - 1]


@pytest.mark.parametrize("text", [str(2**63), "9" * 19, f"{2**63 - 1}-{2**63}", "0-999999999", "0-9999,10000"])
def test_seeds_out_of_range_and_too_many_are_refused(text: str) -> None:
    with pytest.raises(
        RequestError, match=r"expected a whole number from 0 to 9223372036854775807|expected 1 to 10,000"
    ):
        read_seeds(text)
