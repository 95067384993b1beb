"""Finding plugins."""

import subprocess
import sys
from pathlib import Path

import pytest

from lipbench import Dataset, Method, registry
from lipbench.errors import PluginError, RequestError, UnknownNameError
from lipbench.names import Name

METHODS = ["gn", "gn_tau", "gp", "gran", "lp", "none", "ortho", "r1", "sn", "wc"]


def found(path: Path) -> registry.Found:
    return registry.Found(registry.METHOD, path.stem, path)


def test_the_built_in_methods_are_found_by_their_file_names() -> None:
    assert list(registry.installed(registry.METHOD)) == METHODS
    assert list(registry.installed(registry.DATASET)) == [
        "cifar10",
        "digits",
        "fashion-mnist",
        "folder",
        "gauss-scale",
        "gauss-shift",
        "noise",
        "shells",
        "stl10",
        "w1",
    ]


def test_listing_imports_neither_the_methods_nor_torch() -> None:
    code = (
        "import sys; from lipbench import registry as r\n"
        "[f.card() for places in r.installed(r.METHOD).values() for f in places]\n"
        "assert not {'torch', 'lipbench_methods'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", METHODS)
def test_every_built_in_method_loads_and_says_formula_and_paper(name: str) -> None:
    place = registry.find(registry.METHOD, Name(name))
    assert issubclass(registry.load(place), Method)
    assert place.card().fields.keys() >= {"formula", "paper"}
    guarantee = place.card().constants.get("guarantee", "none")
    assert guarantee in {"none", "soft", "almost everywhere", "layerwise", "certified"}


@pytest.mark.parametrize("name", METHODS)
def test_what_the_text_says_of_parameters_is_what_the_class_has(name: str) -> None:
    place = registry.find(registry.METHOD, Name(name))
    for parameter in place.card().parameters:
        assert getattr(registry.create(place, {}), parameter.name) == parameter.default


@pytest.mark.parametrize("name", registry.installed(registry.DATASET))
def test_every_built_in_data_set_loads(name: str) -> None:
    assert issubclass(registry.load(registry.find(registry.DATASET, Name(name))), Dataset)


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [(registry.METHOD, ["gn_tau", "gn-tau"]), (registry.DATASET, ["gauss-shift", "gauss_shift"])],
)
def test_a_name_is_found_however_its_words_are_joined(kind: registry.Kind, spellings: list[str]) -> None:
    assert {registry.find(kind, Name(spelling)).name for spelling in spellings} == {spellings[0]}


def test_a_file_of_ones_own_cannot_take_a_built_in_name_by_another_spelling(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="would be called 'gn-tau', which is the name of an installed method"):
        registry.find(registry.METHOD, Name(str(tmp_path / "gn-tau.py")))


def test_an_unknown_name_is_refused_with_the_nearest_and_the_way_to_a_file_of_ones_own() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean 'none'.*lipbench methods.*\./my_method\.py"):
        registry.find(registry.METHOD, Name("nine"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from lipbench import Method\nimport nowhere\nclass M(Method): ...\n", "does not import: ModuleNotFoundError"),
        ("from lipbench import Method\n1 / 0\nclass M(Method): ...\n", "does not import: ZeroDivisionError"),
        ("class Method: ...\nclass M(Method): ...\n", "does not derive from lipbench.Method"),
        ("from .gp import GradientPenalty as Method\nclass M(Method): ...\n", "must stand alone"),
    ],
)
def test_a_file_that_does_not_import_is_refused_with_the_reason(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(PluginError, match=expected):
        registry.load(found(path))


def test_a_value_that_the_class_refuses_is_a_wrong_request() -> None:
    with pytest.raises(RequestError, match=r"method wc\[bound=-1.0\] is refused: bound must be greater than 0"):
        registry.create(registry.find(registry.METHOD, Name("wc")), {"bound": -1.0})


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, with one package whose metadata names a module of methods."""
    package = tmp_path / "stranger"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('listing must not import this')\n")
    (package / "own.py").write_text('"""One-sided."""\nfrom lipbench import Method\nclass Own(Method): ...\n')
    metadata = tmp_path / "stranger-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[lipbench.methods]\nanything = stranger.own\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_strangers_package_is_found_by_its_entry_point_without_being_imported(site: Path) -> None:
    (place,) = registry.installed(registry.METHOD)["own"]
    assert place.path == site / "stranger" / "own.py"
    assert place.card().summary == "One-sided."


def test_two_packages_with_one_name_are_refused_where_the_name_is_used(site: Path) -> None:
    (site / "stranger" / "own.py").rename(site / "stranger" / "gn.py")
    (site / "stranger-1.0.dist-info" / "entry_points.txt").write_text("[lipbench.methods]\nanything = stranger.gn\n")
    with pytest.raises(PluginError, match="'gn' is defined twice"):
        registry.find(registry.METHOD, Name("gn"))
    assert registry.find(registry.METHOD, Name("gp")).name == "gp"


def test_an_entry_point_that_leads_nowhere_hides_nothing(site: Path) -> None:
    (site / "stranger-1.0.dist-info" / "entry_points.txt").write_text(
        "[lipbench.methods]\na = gone.away\nb = stranger.no\n"
    )
    assert "gn" in registry.installed(registry.METHOD)
