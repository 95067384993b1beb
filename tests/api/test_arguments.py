"""What is asked from Python: every request is planned, or refused with the value and what was expected."""

import itertools
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import lipbench
from lipbench.api import arguments as asked
from lipbench.api.running import read_request
from lipbench.errors import RequestError
from lipbench.request.plan import Planned

METHOD = '"""Mine."""\nfrom lipbench import Method\nclass Mine(Method):\n    weight: float = 1.0\n'


class Mine(lipbench.Method):
    weight: float = 1.0


def planned(**request: Any) -> list[Planned]:
    return read_request(**{"methods": "gn", "seeds": "0", **request}).planned


REFUSED = [
    ({"seeds": 3}, r"seeds is 3; expected '0-2' for the seeds 0, 1 and 2, or \[3\] for one"),
    ({"seeds": np.int64(3)}, "seeds is 3; expected '0-2'"),
    ({"seeds": 2.0}, "seeds is 2.0; expected such as '0-4', or a list"),
    ({"seeds": None}, "seeds is None; expected such as '0-4'"),
    ({"seeds": {0: 1}}, "seeds is {0: 1}; expected such as '0-4'"),
    ({"seeds": [2**70]}, "seed 1180591620717411303424 is out of range; expected a whole number from 0 to 92233720368"),
    ({"seeds": [True]}, "a seed of seeds is True; expected a whole number from 0"),
    ({"seeds": [1.5]}, "a seed of seeds is 1.5; expected a whole number from 0"),
    ({"seeds": np.arange(2.0)}, "a seed of seeds is 0.0; expected a whole number from 0"),
    ({"seeds": ["0"]}, "a seed of seeds is '0'; expected a whole number"),
    ({"seeds": [[0]]}, r"a seed of seeds is \[0\]; expected a whole number"),
    ({"seeds": [-1]}, "seed -1 is out of range; expected a whole number from 0"),
    ({"seeds": []}, "names no seed; expected 1 to 10,000"),
    ({"seeds": ""}, "'' is not a seed or a range of seeds; expected the form 0-4"),
    ({"seeds": range(10**9)}, "more than 10,000 seeds; expected 1 to 10,000"),
    ({"seeds": itertools.count()}, "more than 10,000 seeds; expected 1 to 10,000"),
    ({"steps": 0}, "steps is 0; expected a whole number of at least 1"),
    ({"steps": 60.0}, "steps is 60.0; expected a whole number of at least 1"),
    ({"steps": 6, "overrides": {"train.steps": 5}}, "train.steps is given twice, as 5 and 6; expected one"),
    ({"jobs": 1.5}, "jobs is 1.5; expected a whole number of at least 1"),
    ({"jobs": "2"}, "jobs is '2'; expected a whole number of at least 1"),
    ({"jobs": True}, "jobs is True; expected a whole number of at least 1"),
    ({"overrides": [("train.steps", 5)]}, r"overrides is \[\('train.steps', 5\)\]; expected settings by dotted key"),
    ({"overrides": {5: 5}}, "a key of overrides is 5; expected settings by dotted key"),
    ({"overrides": {"train": {"steps": 5}}}, r"overrides\['train'\] is {'steps': 5}; expected settings by dotted key"),
    ({"overrides": {"architecture": planned}}, r"overrides\['architecture'\] is <.*'\./nets\.py:make' for a function"),
    ({"overrides": {"train.steps": np.float64(1.5)}}, "setting train.steps is 1.5; expected a valid integer"),
    ({"overrides": {"train.flips": np.int64(1)}}, "setting train.flips is 1; expected a valid boolean"),
    ({"overrides": {"train.steps": None}}, "setting train.steps is None; expected a valid integer"),
    ({"methods": []}, r"methods is \[\]; expected names such as 'gn,sn'"),
    ({"methods": ""}, "methods is ''; expected names such as 'gn,sn'"),
    ({"methods": " "}, "methods is ' '; expected names"),
    ({"methods": None}, "methods is None; expected names"),
    ({"methods": 3}, "methods is 3; expected names"),
    ({"methods": b"gn"}, "methods is b'gn'; expected names"),
    ({"methods": ["gn", None]}, "one of methods is None; expected names"),
    ({"methods": {"gn": 1}}, "methods is {'gn': 1}; expected names"),
    ({"methods": pd.DataFrame({"gn": [1]})}, "methods is .*; expected names"),
    ({"datasets": []}, r"datasets is \[\]; expected names such as 'digits', or None for the protocol's own"),
    ({"datasets": ""}, "datasets is ''; expected names such as 'digits'"),
    ({"protocol": None}, "protocol is None; expected a protocol's name such as 'digits'"),
    ({"protocol": ""}, "protocol is ''; expected a protocol's name"),
    ({"protocol": {"name": "digits"}}, "protocol is {'name': 'digits'}; expected a protocol's name"),
    ({"settings": "own"}, "settings is 'own'; expected one of: shared, recommended"),
    ({"settings": ["shared"]}, r"settings is \['shared'\]; expected one of: shared, recommended"),
    ({"precision": "float16"}, "precision is 'float16'; expected one of: float32, tf32, bfloat16"),
    ({"quick": "yes"}, "quick is 'yes'; expected True or False"),
    ({"device": 0}, "device is 0; expected auto, cpu"),
    ({"device": torch.device("cpu")}, r"device is device\(type='cpu'\); expected auto, cpu"),
]
REFUSED_BY_RUN = [
    ({"timeout": "5"}, "timeout is '5'; expected seconds above 0"),
    ({"timeout": float("nan")}, "timeout is nan; expected seconds above 0"),
    ({"timeout": float("inf")}, "timeout is inf; expected seconds above 0"),
    ({"timeout": True}, "timeout is True; expected seconds above 0"),
    ({"results": None}, "results is None; expected the path of a folder"),
    ({"results": ""}, "results is ''; expected the path of a folder"),
    ({"data_root": 5}, "data_root is 5; expected the path of a folder"),
    ({"listener": print}, "listener is <built-in function print>; expected an instance of lipbench.Listener"),
    ({"listener": lipbench.Listener}, "listener is <class .*; expected an instance of lipbench.Listener"),
    ({"seed": 3}, "unknown argument of run 'seed'; expected one of: .*Did you mean 'seeds'"),
    ({"dataset": "digits"}, "Did you mean 'datasets'"),
]


@pytest.mark.parametrize(("request_", "expected"), [*REFUSED, *REFUSED_BY_RUN])
def test_what_cannot_be_meant_is_refused_with_the_value_and_what_was_expected(
    request_: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=expected):
        lipbench.run(**{"methods": "gn", "results": tmp_path / "results", **request_})
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            lambda: lipbench.run(),
            "run cannot be called so: missing a required argument: 'methods'; expected arguments: methods, datasets, ",
        ),
        (lambda: lipbench.run("gn", "digits"), "run cannot be called so: too many positional arguments; expected"),
        (lambda: lipbench.report(add=5), "add is 5; expected the path of a CSV file, or several"),
        (lambda: lipbench.report(add=[""]), "one of add is ''; expected the path of a CSV file"),
        (lambda: lipbench.report(add=pd.DataFrame({"fid": [1]})), "add is .*; expected the path of a CSV file"),
        (lambda: lipbench.report(baseline=5), "baseline is 5; expected a method that was run"),
        (lambda: lipbench.load(5), "run is 5; expected the id of a run"),
        (lambda: lipbench.evaluate([]), r"subjects is \[\]; expected runs"),
        (lambda: lipbench.evaluate("gn", split="test"), "split is 'test'; expected one of: train, held_out, all"),
        (lambda: lipbench.evaluate("gn", samples=1.5), "samples is 1.5; expected a whole number of at least 2"),
        (lambda: lipbench.evaluate("gn", against=5), "against is 5; expected a data set such as 'cifar10'"),
        (lambda: lipbench.prepare(5), "protocol is 5; expected a protocol's name"),
        (lambda: lipbench.prepare(note="print"), "note is 'print'; expected a function of a text"),
        (lambda: lipbench.cost(batch_size=0), "batch_size is 0; expected a whole number of at least 1"),
        (lambda: lipbench.cost(engine="two"), "engine is 'two'; expected one of: three-sweep, double-backward, both"),
    ],
)
def test_the_other_functions_read_their_arguments_in_the_same_way(call: Any, expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        call()


@pytest.mark.parametrize(
    "request_",
    [
        {"seeds": [3, 1, 3]},
        {"seeds": (3, 1)},
        {"seeds": np.array([3, 1])},
        {"seeds": (seed for seed in [np.int32(3), 1])},
        {"seeds": torch.tensor([3, 1])},
        {"seeds": "3,1"},
    ],
)
def test_seeds_are_whole_numbers_in_whatever_holds_them(request_: dict[str, Any]) -> None:
    seeds = [item.cell.seed for item in planned(**request_)]
    assert seeds == [3, 1]
    assert {type(seed) for seed in seeds} == {int}


def test_a_seed_of_ten_digits_is_the_same_from_python_and_as_text() -> None:
    assert planned(seeds=[1234567890]) == planned(seeds="1234567890")


@pytest.mark.parametrize(
    ("request_", "same"),
    [
        ({"steps": 60}, {"overrides": {"train.steps": 60}}),
        ({"steps": np.int64(60), "overrides": {"train.steps": 60}}, {"overrides": {"train.steps": 60}}),
        ({"overrides": {"train.steps": np.int64(20)}}, {"overrides": {"train.steps": 20}}),
        ({"overrides": {"train.learning_rate": np.float64(0.5)}}, {"overrides": {"train.learning_rate": 0.5}}),
        ({"overrides": {"train.flips": np.True_}}, {"overrides": {"train.flips": True}}),
        ({"overrides": {"train.betas": np.array([0.0, 0.5])}}, {"overrides": {"train.betas": [0.0, 0.5]}}),
        ({"overrides": {"train.betas": (np.float64(0), 0.5)}}, {"overrides": {"train.betas": [0.0, 0.5]}}),
        ({"overrides": {"train.steps": torch.tensor(20)}}, {"overrides": {"train.steps": 20}}),
        ({"precision": "bfloat16"}, {"overrides": {"train.precision": "bfloat16"}}),
        ({"methods": ["gn", "gn"], "datasets": ["digits"]}, {}),
        ({"methods": ("gn",), "jobs": np.int64(2), "quick": np.False_}, {}),
        ({"settings": "shared"}, {}),
    ],
)
def test_what_means_the_same_plans_the_same(request_: dict[str, Any], same: dict[str, Any]) -> None:
    assert planned(**request_) == planned(**same)


def test_a_path_is_taken_wherever_its_text_is(tmp_path: Path) -> None:
    folder = tmp_path / "a,b [c]+d"
    folder.mkdir()
    mine, protocol = folder / "mine.py", folder / "mine.toml"
    mine.write_text(f"{METHOD}    control = True\n")
    protocol.write_text(lipbench.request.protocol.text("digits"))
    for methods in (mine, [mine], [mine, mine], (path for path in [mine])):
        (item,) = planned(methods=methods, protocol=protocol)
        assert (item.cell.method, item.sources) == ("mine", {"method.py": mine})
    assert planned(methods=[Path("gn")]) == planned(methods="gn")


def test_reading_what_was_read_changes_nothing() -> None:
    for name, value in {"methods": [Path("a,b.py")], "seeds": "0-2", "add": "x.csv", "overrides": {"a.b": 1}}.items():
        once = asked.READERS[name](name, value)
        assert asked.READERS[name](name, once) == once


@pytest.mark.parametrize(("given", "words"), [(Mine, "the class Mine"), (Mine(weight=2.0), "an instance of the class")])
@pytest.mark.parametrize("several", [True, False])
def test_a_class_is_refused_with_the_path_of_the_file_that_defines_it(given: Any, words: str, several: bool) -> None:
    with pytest.raises(RequestError) as refused:
        planned(methods=[given] if several else given)
    assert f"methods holds {words}" in str(refused.value)
    assert f"expected the path of its file, methods={__file__!r}" in str(refused.value)


@pytest.mark.parametrize("module", ["__main__", "nowhere"])
def test_a_class_of_a_notebook_is_refused_with_the_way_to_make_it_a_file(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    monkeypatch.setattr(Mine, "__module__", module)
    with pytest.raises(RequestError, match=r"%%writefile mine\.py .* and give methods='\./mine\.py'"):
        planned(methods=[Mine])


def test_the_class_of_an_installed_plugin_is_refused_with_its_name() -> None:
    from lipbench.plugins import kinds, registry
    from lipbench.plugins.names import Name

    built_in = registry.load(registry.find(kinds.METHOD, Name("gp")))
    with pytest.raises(RequestError, match="expected its name, methods='gp'"):
        planned(methods=[built_in])


def test_every_public_function_reads_its_arguments() -> None:
    for name in ("run", "report", "load", "prepare", "evaluate", "cost"):
        with pytest.raises(RequestError, match=f"unknown argument of {name} 'nothing'.*help.lipbench.{name}"):
            getattr(lipbench, name)(nothing=1)
