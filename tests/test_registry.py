"""Finding plugins."""

import subprocess
import sys
from pathlib import Path

import pytest

from lipbench import Dataset, Method, registry
from lipbench.errors import PluginError, RequestError, UnknownNameError
from lipbench.names import Name


def found(path: Path) -> registry.Found:
    return registry.Found(registry.METHOD, path.stem, path)


def test_the_built_in_methods_are_found_by_their_file_names() -> None:
    assert list(registry.installed(registry.METHOD)) == ["gn", "gp", "none", "sn", "wc"]
    assert list(registry.installed(registry.DATASET)) == [
        "cifar10",
        "digits",
        "fashion-mnist",
        "folder",
        "noise",
        "stl10",
    ]


def test_listing_imports_neither_the_methods_nor_torch() -> None:
    code = (
        "import sys; from lipbench import registry as r\n"
        "[f.card() for places in r.installed(r.METHOD).values() for f in places]\n"
        "assert not {'torch', 'lipbench_methods'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["gn", "gp", "none", "sn", "wc"])
def test_every_built_in_method_loads_and_says_formula_and_paper(name: str) -> None:
    place = registry.find(registry.METHOD, Name(name))
    assert issubclass(registry.load(place), Method)
    assert place.card().fields.keys() >= {"formula", "paper"}
    assert place.card().constants.get("guarantee", "none") in {"none", "soft", "almost everywhere", "layerwise"}


@pytest.mark.parametrize("name", ["gn", "gp", "none", "sn", "wc"])
def test_what_the_text_says_of_parameters_is_what_the_class_has(name: str) -> None:
    place = registry.find(registry.METHOD, Name(name))
    for parameter in place.card().parameters:
        assert getattr(registry.create(place, {}), parameter.name) == parameter.default


def test_every_built_in_data_set_loads() -> None:
    assert issubclass(registry.load(registry.find(registry.DATASET, Name("digits"))), Dataset)


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
    (package / "lp.py").write_text('"""One-sided."""\nfrom lipbench import Method\nclass LP(Method): ...\n')
    metadata = tmp_path / "stranger-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[lipbench.methods]\nanything = stranger.lp\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_strangers_package_is_found_by_its_entry_point_without_being_imported(site: Path) -> None:
    (place,) = registry.installed(registry.METHOD)["lp"]
    assert place.path == site / "stranger" / "lp.py"
    assert place.card().summary == "One-sided."


def test_two_packages_with_one_name_are_refused_where_the_name_is_used(site: Path) -> None:
    (site / "stranger" / "lp.py").rename(site / "stranger" / "gn.py")
    (site / "stranger-1.0.dist-info" / "entry_points.txt").write_text("[lipbench.methods]\nanything = stranger.gn\n")
    with pytest.raises(PluginError, match="'gn' is defined twice"):
        registry.find(registry.METHOD, Name("gn"))
    assert registry.find(registry.METHOD, Name("gp")).name == "gp"


def test_an_entry_point_that_leads_nowhere_hides_nothing(site: Path) -> None:
    (site / "stranger-1.0.dist-info" / "entry_points.txt").write_text(
        "[lipbench.methods]\na = gone.away\nb = stranger.no\n"
    )
    assert "gn" in registry.installed(registry.METHOD)
