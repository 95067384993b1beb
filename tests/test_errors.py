"""Errors, which travel between processes, and the names that they suggest."""

import copy
import inspect
import pickle
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench import errors
from lipbench.errors import LipbenchError, near


def below(kind: type[LipbenchError]) -> Iterator[type[LipbenchError]]:
    yield kind
    for other in kind.__subclasses__():
        yield from below(other)


def make(kind: type[LipbenchError]) -> LipbenchError:
    """An error of this kind, with a value of its type for each argument."""
    if kind.__init__ is LipbenchError.__init__:
        return kind("why")
    values = {int: 3, str: "a value"}
    needed = list(inspect.signature(kind.__init__).parameters.values())[1:]
    return kind(*[values.get(each.annotation, ["known"]) for each in needed if each.default is each.empty])


@pytest.mark.parametrize("kind", sorted(below(LipbenchError), key=str))
def test_every_error_survives_the_way_to_another_process_and_a_copy(kind: type[LipbenchError]) -> None:
    error = make(kind)
    error.add_note("a note")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert (str(again), vars(again)) == (str(error), vars(error))
        assert str(again)


def test_a_divergence_knows_its_step_in_another_process_too() -> None:
    assert pickle.loads(pickle.dumps(errors.Diverged(7, "loss"))).step == 7


@pytest.mark.parametrize(
    ("value", "known", "expected"),
    [
        ("penality", ["penalty", "penalty_points"], "penalty"),
        ("weigth", ["weight", "every"], "weight"),
        ("train.step", ["train.steps", "train.threads"], "train.steps"),
        ("training.steps", ["train.steps", "evaluate.every"], "train.steps"),
        ("CIFAR-10", ["cifar10", "digits"], "cifar10"),
        ("cifar", ["cifar10", "digits"], "cifar10"),
        ("fashion", ["fashion-mnist", "folder"], "fashion-mnist"),
        ("foo", ["ortho", "folder"], None),
        ("lp", ["sn", "wc"], None),
        ("", ["sn", "wc"], None),
        ("anything", [], None),
    ],
)
def test_a_name_a_few_letters_away_is_meant(value: str, known: list[str], expected: str | None) -> None:
    assert near(value, known) == expected


@given(st.text("abcdefgh", min_size=2, max_size=12), st.data())
def test_one_slip_of_the_fingers_is_always_understood(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name) - 2))
    slips = [name[:place] + name[place + 1 :], name[:place] + "z" + name[place:]]
    slips.append(name[:place] + name[place + 1] + name[place] + name[place + 2 :])
    for slip in slips:
        if len(slip) > 1:
            assert near(slip, [name]) == name


def test_a_name_of_the_plugins_own_comes_before_anothers_alias() -> None:
    assert near("GP", ["gp", "gn"], {"gp": "gn"}) == "gp"
    assert near("other", ["gp", "gn"], {"Other": "gn"}) == "gn"
