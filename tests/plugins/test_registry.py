"""Finding plugins."""

import subprocess
import sys
from pathlib import Path

import pytest

from lipbench import Dataset, Method
from lipbench.errors import PluginError, RequestError, UnknownNameError
from lipbench.interfaces.method import overrides
from lipbench.plugins import kinds, registry
from lipbench.plugins.names import Name

METHODS = [
    *("alp", "aol", "ct", "dragan", "gn", "gn_tau", "gp", "gran", "lp", "max_gp", "none", "ortho", "r1", "r1r2", "r2"),
    *("sn", "sn_conv", "wc", "wgan_div", "zero_gp"),
]

HOOKS = ["constrain", "project", "score", "penalty_points", "penalty", "regulariser"]


def found(path: Path) -> registry.Found:
    return registry.Found(kinds.METHOD, path.stem, path)


def test_the_built_in_methods_are_found_by_their_file_names() -> None:
    assert list(registry.installed(kinds.METHOD)) == METHODS
    assert list(registry.installed(kinds.DATASET)) == [
        "cifar10",
        "digits",
        "dirac",
        "fashion-mnist",
        "folder",
        "gauss-scale",
        "gauss-shift",
        "grid",
        "noise",
        "ring",
        "shells",
        "stacked-digits",
        "stl10",
        "swiss-roll",
        "two-moons",
        "w1",
    ]


def test_listing_imports_neither_the_methods_nor_torch() -> None:
    code = (
        "import sys; from lipbench.plugins import registry as r; from lipbench.plugins.kinds import METHOD\n"
        "[f.card for places in r.installed(METHOD).values() for f in places]\n"
        "assert not {'torch', 'lipbench_methods'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", METHODS)
def test_every_built_in_method_loads_and_says_formula_and_paper(name: str) -> None:
    place = registry.find(kinds.METHOD, Name(name))
    assert issubclass(registry.load(place), Method)
    assert place.card.fields.keys() >= {"formula", "paper"}


@pytest.mark.parametrize("name", registry.installed(kinds.DATASET))
def test_every_built_in_data_set_loads(name: str) -> None:
    assert issubclass(registry.load(registry.find(kinds.DATASET, Name(name))), Dataset)


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [(kinds.METHOD, ["gn_tau", "gn-tau"]), (kinds.DATASET, ["gauss-shift", "gauss_shift"])],
)
def test_a_name_is_found_however_its_words_are_joined(kind: kinds.Kind, spellings: list[str]) -> None:
    assert {registry.find(kind, Name(spelling)).name for spelling in spellings} == {spellings[0]}


def test_a_file_of_ones_own_cannot_take_a_built_in_name_by_another_spelling(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="would be called 'gn-tau', which is the name of an installed method"):
        registry.find(kinds.METHOD, Name(str(tmp_path / "gn-tau.py")))


def test_an_unknown_name_is_refused_with_the_nearest_and_the_way_to_a_file_of_ones_own() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean 'none'.*lipbench methods.*\./my_method\.py"):
        registry.find(kinds.METHOD, Name("nine"))


SCORE = "    def score(self, value, grad_norm): return value\n"
MINE = f"from lipbench import Method\nclass Mine(Method):\n{SCORE}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"import nowhere\n{MINE}",
            r"import: ModuleNotFoundError: No module named 'nowhere' \(.*, line 1\).*beside the file",
        ),
        (f"{MINE}1 / 0\n", r"does not import: ZeroDivisionError: division by zero \(.*mine.py, line 4\)\.$"),
        (f"{MINE}import sys; sys.exit('bye')\n", r"does not import: SystemExit: bye \(.*line 4\)"),
        (f"{MINE}    weight: float = scale\n", r"NameError: name 'scale' is not defined \(.*line 4, in Mine\)"),
        (f"{MINE}class Mine: ...\n", "says that Mine is its method, and when imported it defines none"),
        (f"{MINE}exec('class Other(Method): ...')\n", "when imported it defines Mine, Other; expected one class state"),
        (f"{MINE}Mine.penalty = Mine.score\n", "says of hooks: score; when imported it has penalty, score. Expected"),
        (f"{MINE}    if True:\n        weight: float = 1.0\n", "says of parameters: none; when imported it has weight"),
        (f"{MINE}    weight: float = 1.0\nMine.weight = 2.0\n", "the default of weight: 1.0; when imported it has 2.0"),
        (f"{MINE}Mine.guarantee = 'soft'\n", "says of guarantee: 'none'; when imported it has 'soft'"),
        (f"{MINE}    weight: float = len('ab') / 0.5 * 1j\n", "weight is 4j; expected a default of its type, float"),
        (f"{MINE}    every: int = 1 - 1\n", "every is 0; expected a whole number of at least 1"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_with_the_reason(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(PluginError, match=expected):
        registry.load(found(path))


CASES = {
    "american": """from lipbench import Method
class American(Method):
    def regularizer(self, critic, real, fake, rng):
        return critic(real).square().mean()
""",
    "decorated": """from dataclasses import dataclass, field
from lipbench import Method
@dataclass(frozen=True)
class Decorated(Method):
    weight: float = field(default=10.0)
    def penalty_points(self, real, fake, rng):
        return real
    def penalty(self, value, grad_norm):
        return self.weight * grad_norm.square().mean()
""",
    "computed": """from lipbench import Method
class Computed(Method):
    weight: float = 2.5 * 4
    def regulariser(self, critic, real, fake, rng):
        return self.weight * critic(real).square().mean()
""",
}


@pytest.mark.parametrize(
    ("case", "defined", "hooks"),
    [
        ("american", "American", {"regulariser"}),
        ("decorated", "Decorated", {"penalty_points", "penalty"}),
        ("computed", "Computed", {"regulariser"}),
    ],
)
def test_what_a_file_says_is_what_runs(tmp_path: Path, case: str, defined: str, hooks: set[str]) -> None:
    path = tmp_path / f"{case}.py"
    path.write_text(CASES[case])
    method = registry.instance(found(path), {"every": 3})
    assert type(method).__name__ == defined
    assert {hook for hook in HOOKS if overrides(method, hook)} == hooks
    assert (method.every, getattr(method, "weight", 10.0)) == (3, 10.0)


def test_a_default_of_a_class_above_is_replaced_by_a_plain_value(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("from lipbench_methods.gp import GradientPenalty\nclass Mine(GradientPenalty):\n    weight = 3.0\n")
    assert registry.instance(found(path), {}).weight == 3.0
    assert registry.instance(found(path), {"weight": 1.0}).weight == 1.0


def test_a_file_that_was_edited_is_imported_anew_and_one_that_was_not_is_not(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    loaded = []
    for weight in (1, 2, 2, 1):  # of one size, and within a second
        path.write_text(f"{MINE}    weight: float = {weight}.0\n")
        loaded.append(registry.load(found(path)))
    assert [each.weight for each in loaded] == [1, 2, 2, 1]
    assert loaded[1] is loaded[2]
    assert list(tmp_path.iterdir()) == [path]  # and leaves nothing beside it


def test_a_file_with_a_byte_order_mark_is_imported(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(MINE, encoding="utf-8-sig")
    assert registry.load(found(path)).__name__ == "Mine"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("GP", "gp"),
        ("wgan-gp", "gp"),
        ("WGAN_GP", "gp"),
        ("WGAN", "wc"),
        ("SNGAN", "sn"),
        ("sn-gan", "sn"),
        ("GNGAN", "gn"),
        ("GN-GAN", "gn"),
        ("WGAN-LP", "lp"),
        ("GraN-GAN", "gran"),
        ("spectral_norm", "sn"),
        ("spectral normalization", "sn"),
        ("vanilla", "none"),
        ("nine", "none"),
        ("gm", "gn"),
        ("orto", "ortho"),
        ("R2", "r2"),
        ("R3GAN", "r1r2"),
        ("CT-GAN", "ct"),
        ("WGAN-div", "wgan_div"),
        ("0-GP", "zero_gp"),
        ("MaxGP", "max_gp"),
        ("WGAN-ALP", "alp"),
        ("foo", None),
        ("adam", None),
        ("dcgan", None),
        ("xy", None),
        ("x", None),
    ],
)
def test_what_the_field_calls_a_method_leads_to_its_name_and_nothing_far_fetched_does(given: str, meant: str) -> None:
    with pytest.raises(UnknownNameError) as refused:
        registry.find(kinds.METHOD, Name(given))
    assert ("Did you mean" in str(refused.value)) == (meant is not None)
    assert meant is None or f"Did you mean {meant!r}?" in str(refused.value)


@pytest.mark.parametrize("form", ["{}", "./{}"])
def test_a_folder_that_is_given_as_data_is_named_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    (tmp_path / "shapes").mkdir()
    monkeypatch.chdir(tmp_path)
    name = form.format("shapes")
    with pytest.raises(RequestError, match=rf"As a folder of pictures it is named 'folder\[path={name},size=32\]'"):
        registry.find(kinds.DATASET, Name(name))


def test_a_value_that_the_class_refuses_is_a_wrong_request() -> None:
    with pytest.raises(RequestError, match=r"method wc\[bound=-1.0\] is refused: bound must be greater than 0"):
        registry.instance(registry.find(kinds.METHOD, Name("wc")), {"bound": -1.0})


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, with one package whose metadata names a module of methods."""
    package = tmp_path / "stranger"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('listing must not import this')\n")
    (package / "own.py").write_text(
        '"""One-sided."""\nfrom lipbench import Method\nclass Own(Method):\n    control = True\n'
    )
    metadata = tmp_path / "stranger-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[lipbench.methods]\nanything = stranger.own\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_strangers_package_is_found_by_its_entry_point_without_being_imported(site: Path) -> None:
    (place,) = registry.installed(kinds.METHOD)["own"]
    assert place.path == site / "stranger" / "own.py"
    assert place.card.summary == "One-sided."


def test_two_packages_with_one_name_are_refused_where_the_name_is_used(site: Path) -> None:
    (site / "stranger" / "own.py").rename(site / "stranger" / "gn.py")
    (site / "stranger-1.0.dist-info" / "entry_points.txt").write_text("[lipbench.methods]\nanything = stranger.gn\n")
    with pytest.raises(PluginError, match="'gn' is defined twice"):
        registry.find(kinds.METHOD, Name("gn"))
    assert registry.find(kinds.METHOD, Name("gp")).name == "gp"


def test_an_entry_point_that_leads_nowhere_hides_nothing(site: Path) -> None:
    (site / "stranger-1.0.dist-info" / "entry_points.txt").write_text(
        "[lipbench.methods]\na = gone.away\nb = stranger.no\n"
    )
    assert "gn" in registry.installed(kinds.METHOD)


PLUGINS = {
    kinds.METHOD: "    control = True\n",
    kinds.DATASET: "    def load(self): ...\n",
    kinds.ARCHITECTURE: "    def make(self, image_shape, latent_dim): ...\n",
    kinds.LOSS: "    def critic(self, real, fake): ...\n    def generator(self, fake): ...\n",
    kinds.EXTRACTOR: "    features = 3\n    def load(self): ...\n",
    kinds.MEASURE: "    def of_pictures(self, fake, real): ...\n",
    kinds.LAUNCHER: "    def launch(self, sweep): ...\n",
}


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.plural)
def test_every_kind_is_found_in_a_package_read_with_parameters_and_loaded(site: Path, kind: kinds.Kind) -> None:
    (site / "stranger" / "__init__.py").write_text("")
    (site / "stranger" / "own_one.py").write_text(
        f'"""One-sided."""\nfrom lipbench import {kind.base}\nclass Own({kind.base}):\n'
        f"    size: int = 3\n{PLUGINS[kind]}"
    )
    metadata = site / "stranger-1.0.dist-info" / "entry_points.txt"
    metadata.write_text(f"[{kind.group}]\nanything = stranger.own_one\n")
    resolved = registry.resolve(kind, Name("own-one", (("size", "4"),)))
    assert resolved.card is not None
    assert resolved.card.summary == "One-sided."
    assert "stranger.own_one" not in sys.modules
    assert registry.create(kind, resolved.part, Path).size == 4
    del sys.modules["stranger.own_one"], sys.modules["stranger"]


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.plural)
def test_a_plugin_of_any_kind_without_its_hooks_is_refused_with_what_they_give(
    tmp_path: Path, kind: kinds.Kind
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"from lipbench import {kind.base}\nclass Mine({kind.base}): ...\n")
    with pytest.raises(PluginError, match=r"defines no hook|has no \w+; expected \w+\(self"):
        registry.resolve(kind, Name(str(path)))
