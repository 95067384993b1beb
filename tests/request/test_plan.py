"""From a request to cells."""

from pathlib import Path
from typing import Any

import pytest

from lipbench.errors import PluginError, RequestError, UnknownNameError
from lipbench.request import cell as cells
from lipbench.request import protocol
from lipbench.request.plan import Planned, plan

METHOD = '"""Mine."""\nfrom lipbench import Method\nclass Mine(Method):\n    weight: float = 1.0\n'
METHOD += "    def constrain(self, critic): return critic\n"


def ask(methods: str, seeds: list[int] | None = None, **rest: Any) -> list[Planned]:
    return plan(methods, rest.pop("datasets", None), seeds or [0], "digits", rest.pop("overrides", {}), **rest)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(METHOD)
    return path


def test_the_first_seed_of_every_method_comes_before_the_second_of_any() -> None:
    order = [(planned.cell.seed, planned.cell.method) for planned in ask("gn,sn", [0, 1])]
    assert order == [(0, "gn"), (0, "sn"), (1, "gn"), (1, "sn")]


def test_the_canonical_text_shows_what_differs_from_the_defaults() -> None:
    methods = [planned.cell.method for planned in ask("gp[weight=10],gp[weight=1],sn+gp[every=4]")]
    assert methods == ["gp", "gp[weight=1.0]", "sn+gp[every=4]"]


def test_the_same_cell_asked_twice_is_planned_once() -> None:
    assert len(ask("gp,gp[weight=10]")) == 1


def test_the_run_id_is_stable_and_its_digest_is_that_of_the_text() -> None:
    (planned,) = ask("gp[weight=1]", [3])
    assert planned.cell.run_id.startswith("gp-weight-1.0-digits-s3-")
    assert cells.parse(planned.cell.to_json(), "x") == planned.cell
    assert ask("gp[weight=1.0]", [3])[0].cell.run_id == planned.cell.run_id


@pytest.mark.parametrize(
    "change", [{"seeds": [1]}, {"overrides": {"train.steps": 3}}, {"overrides": {"train.threads": 2}}]
)
def test_whatever_changes_the_numbers_changes_the_run_id(change: dict[str, Any]) -> None:
    assert ask("gn", **change)[0].cell.run_id != ask("gn")[0].cell.run_id


def test_methods_data_and_seeds_share_one_comparison_and_settings_do_not() -> None:
    assert len({planned.cell.comparison for planned in ask("gn,sn", [0, 1])}) == 1
    assert ask("gn", overrides={"train.steps": 3})[0].cell.comparison != ask("gn")[0].cell.comparison
    assert ask("gn", settings="recommended")[0].cell.comparison != ask("gn")[0].cell.comparison


def test_recommended_settings_are_used_only_when_asked_for_and_explicit_ones_win() -> None:
    assert ask("sn")[0].cell.protocol.loss == "wasserstein"
    assert ask("sn", settings="recommended")[0].cell.protocol.loss == "hinge"
    explicit = ask("sn", settings="recommended", overrides={"loss": "logistic"})
    assert explicit[0].cell.protocol.loss == "logistic"


def test_a_file_of_ones_own_is_named_by_its_stem_and_identified_by_its_content(mine: Path) -> None:
    (planned,) = ask(f"{mine}[weight=2]")
    assert planned.cell.method == "mine[weight=2.0]"
    assert planned.sources == {"method.py": mine}
    mine.write_text(METHOD + "# changed\n")
    assert ask(f"{mine}[weight=2]")[0].cell.run_id != planned.cell.run_id


def test_an_architecture_of_ones_own_is_part_of_what_is_compared(tmp_path: Path) -> None:
    nets = tmp_path / "nets.py"
    nets.write_text("def make(shape, latents): ...\n")
    (first,) = ask("gn", overrides={"architecture": f"{nets}:make"})
    nets.write_text("def make(shape, latents): pass\n")
    (second,) = ask("gn", overrides={"architecture": f"{nets}:make"})
    assert first.cell.architecture.name == "nets:make"
    assert first.cell.comparison != second.cell.comparison


@pytest.mark.parametrize("part", ["method", "dataset", "architecture"])
def test_a_module_of_the_users_own_is_part_of_what_is_asked(tmp_path: Path, part: str) -> None:
    texts = {
        "method": "from helpers import weight\n" + METHOD,
        "dataset": "import helpers\nfrom lipbench import Dataset\nclass Mine(Dataset):\n    def load(self): ...\n",
        "architecture": "def make(shape, latents): import helpers\n",
    }
    path, helpers = tmp_path / "mine.py", tmp_path / "helpers.py"
    path.write_text(texts[part])
    found = []
    for text in ("weight = 1\n", "weight = 2\n", "weight = 1\n"):
        helpers.write_text(text)
        methods, datasets = str(path) if part == "method" else "gn", str(path) if part == "dataset" else None
        overrides = {"architecture": f"{path}:make"} if part == "architecture" else {}
        found += ask(methods, datasets=datasets, overrides=overrides)
    assert found[0] == found[2]
    assert found[0].sources == {f"{part}.py": path, f"{part}/helpers.py": helpers}
    assert found[0].cell.run_id != found[1].cell.run_id
    assert (found[0].cell.comparison_id != found[1].cell.comparison_id) == (part != "method")  # methods are compared
    assert cells.parse(found[0].cell.to_json(), "x") == found[0].cell


EXTRACTOR = "from lipbench import Extractor\nclass Mine(Extractor):\n    features = 3\n    def load(self): ...\n"


def test_a_curve_extractor_is_read_copied_and_compared_like_the_extractor(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(EXTRACTOR)
    overrides = {"evaluate.extractor": str(path), "evaluate.curve_extractor": str(path)}
    (planned,) = ask("gn", overrides=overrides)
    assert planned.cell.curve_extractor is not None
    assert planned.cell.protocol.evaluate.curve_extractor == "mine"
    assert planned.sources == planned.sources | {"extractor.py": path, "curve_extractor.py": path}
    assert set(planned.contents()) == {"extractor.py", "curve_extractor.py"}
    assert cells.parse(planned.cell.to_json(), "x") == planned.cell
    path.write_text(EXTRACTOR + "# changed\n")
    assert ask("gn", overrides=overrides)[0].cell.comparison_id != planned.cell.comparison_id


def test_without_a_curve_extractor_nothing_of_it_stands_in_a_cell() -> None:
    (plain,), (empty,) = ask("gn"), ask("gn", overrides={"evaluate.curve_extractor": ""})
    assert plain.cell.curve_extractor is None
    assert "curve" not in plain.cell.to_json() == empty.cell.to_json()
    (named,) = ask("gn", overrides={"evaluate.curve_extractor": "digits-cnn"})
    assert str(named.cell.curve_extractor) == "digits-cnn"


def test_a_file_without_modules_is_identified_by_itself_alone(mine: Path) -> None:
    (planned,) = ask(str(mine))
    assert planned.cell.methods[0].model_dump().keys() == {"name", "parameters", "file", "sha256"}


@pytest.mark.parametrize(
    ("methods", "error", "expected"),
    [
        ("gm", UnknownNameError, "unknown method 'gm'.*Did you mean 'g[np]'"),
        ("gp[weigth=1]", UnknownNameError, "Did you mean 'weight'"),
        ("gn[every=2]", UnknownNameError, "unknown parameter of gn 'every'"),
        ("gp[every=0]", RequestError, "every of gp is 0; expected a whole number of at least 1"),
        ("gn+gn", RequestError, "names gn twice"),
        ("gn,,sn", RequestError, "not a name"),
        ("./missing.py", PluginError, "there is no file"),
        ("./missing.txt/", PluginError, "not a Python file"),
    ],
)
def test_a_method_that_cannot_be_is_refused(methods: str, error: type[Exception], expected: str) -> None:
    with pytest.raises(error, match=expected):
        ask(methods)


def test_two_methods_that_replace_the_score_do_not_compose(tmp_path: Path) -> None:
    path = tmp_path / "other.py"
    path.write_text(METHOD + "    def score(self, value, grad_norm): return value\n")
    with pytest.raises(RequestError, match="2 methods that replace the critic's score"):
        ask(f"gn+{path}")


@pytest.mark.parametrize("text", ["digit", "digits[size=3]", "digits+digits"])
def test_a_data_set_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="unknown|compose"):
        ask("gn", datasets=text)


@pytest.mark.parametrize("text", ["./nets.py", "./nets.py:make", "./nets.py:not a name"])
def test_an_architecture_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match=r"expected the form \./nets\.py:make"):
        ask("gn", overrides={"architecture": text})


def test_recommended_settings_must_be_readable_from_the_file(mine: Path) -> None:
    mine.write_text(METHOD + "    recommended = make()\n")
    with pytest.raises(PluginError, match="expected a literal dict"):
        ask(str(mine))


def test_a_method_may_recommend_its_own_parameters(mine: Path) -> None:
    mine.write_text(METHOD + '    recommended = {"loss": "hinge", "parameters.weight": 3}\n')
    assert [planned.cell.method for planned in ask(f"{mine},{mine}[weight=1]")] == ["mine"]
    planned = ask(f"{mine},{mine}[weight=2]", settings="recommended")
    assert [item.cell.method for item in planned] == ["mine[weight=3.0]", "mine[weight=2.0]"]
    assert {item.cell.protocol.loss for item in planned} == {"hinge"}


@pytest.mark.parametrize("settings", ["shared", "recommended"])
@pytest.mark.parametrize("key", ["evaluate.samples", "architecture", "datasets", "name"])
def test_a_method_may_not_recommend_what_is_shared(mine: Path, key: str, settings: str) -> None:
    mine.write_text(METHOD + f"    recommended = {{{key!r}: 64}}\n")
    with pytest.raises(RequestError, match=f"recommended of mine sets {key} to 64; expected loss, train"):
        ask(str(mine), settings=settings)


@pytest.mark.parametrize("settings", ["shared", "recommended"])
def test_a_protocol_may_not_recommend_what_is_shared(tmp_path: Path, settings: Any) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(protocol.text("digits") + "\n[recommended.gn]\nevaluate.samples = 64\n")
    with pytest.raises(RequestError, match=r"\[recommended.gn\] sets evaluate.samples to 64"):
        plan("gn", None, [0], str(path), {}, settings)


def test_a_protocols_recommendations_come_before_the_methods_own_and_give_parameters_too() -> None:
    planned = plan("wc,wc[bound=0.3],gn", None, [0], "cifar10-cnn", {"train.steps": 7}, "recommended")
    assert [item.cell.method for item in planned] == ["wc[bound=0.1]", "wc[bound=0.3]", "gn"]
    wc, _, gn = (item.cell.protocol for item in planned)
    assert (wc.loss, wc.train.batch_size, wc.train.steps) == ("wasserstein", 128, 7)
    assert (gn.loss, gn.train.batch_size, gn.train.decay) == ("logistic", 64, "none")


def test_shared_settings_are_the_same_for_every_method_whatever_is_recommended() -> None:
    planned = plan("wc,sn,gp,gn", None, [0], "cifar10-resnet", {})
    assert len({item.cell.protocol.id for item in planned}) == 1
    assert planned[0].cell.method == "wc"


def test_what_is_given_wins_over_what_is_recommended_even_where_it_is_the_default() -> None:
    planned = plan("wc[bound=0.05,0.1]", None, [0], "cifar10-cnn", {}, "recommended")
    assert [item.cell.method for item in planned] == ["wc", "wc[bound=0.1]"]


def test_a_parameter_without_a_default_is_read_under_recommended_settings_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(METHOD.replace(" = 1.0", "", 1))
    (planned,) = plan(f"{path}[weight=3]", None, [0], "digits", {}, "recommended")
    assert planned.cell.method == "mine[weight=3.0]"


def test_a_table_of_recommendations_for_an_unknown_method_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(protocol.text("digits") + '\n[recommended.gm]\nloss = "hinge"\n')
    with pytest.raises(UnknownNameError, match="unknown method 'recommended.gm'"):
        plan("gn", None, [0], str(path), {}, "recommended")


def test_two_folders_are_two_comparisons_however_alike_their_names_are(tmp_path: Path) -> None:
    names = [f"folder[path={'a' * 80}/{end},size=8]" for end in ("one", "two")] + [
        "folder[path=a/b]",
        "folder[path=a-b]",
    ]
    ids = {plan("none", name, [0], "digits", {})[0].cell.comparison_id for name in names}
    assert len(ids) == 4


def test_the_canonical_text_of_a_cell_reads_back_as_what_was_asked() -> None:
    asked = 'folder[path="/a,b/it\'s [1]",size=8]'
    (planned,) = plan("none", asked, [0], "digits", {})
    assert str(planned.cell.dataset) == asked
    assert plan("none", str(planned.cell.dataset), [0], "digits", {})[0].cell == planned.cell


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"loss": "hing"}, r"unknown loss 'hing'.*Did you mean 'hinge'\?.*lipbench losses"),
        ({"loss": "gp"}, r"unknown loss 'gp'.*gp is a method: --methods gp"),
        ({"loss": "hinge,logistic"}, "'hinge,logistic' names 2 losses; expected one"),
        ({"loss": "hinge[margin=a]"}, "margin of hinge is 'a'; expected a finite number, such as 1.0"),
        ({"loss": "hinge+logistic"}, "losses do not compose"),
        ({"architecture": "cnn8"}, "unknown architecture 'cnn8'.*Did you mean 'cnn-8'"),
        ({"architecture": "cnn-8[wdth=3]"}, r"unknown parameter of cnn-8 'wdth'; expected one of: width"),
        ({"evaluate.extractor": "digitscnn"}, r"unknown extractor 'digitscnn'.*Did you mean 'digits-cnn'\?"),
        ({"evaluate.curve_extractor": "digitscnn"}, r"unknown extractor 'digitscnn'.*Did you mean 'digits-cnn'\?"),
        ({"evaluate.measures": "no"}, "unknown measure 'no'"),
        ({"evaluate.measures": "prdc[k=3,5]"}, "names measure prdc more than once; expected each once"),
    ],
)
def test_a_plugin_that_a_protocol_names_is_refused_as_a_method_is(overrides: dict[str, Any], expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        ask("gn", overrides=overrides)


MEASURE = (
    '"""M."""\nfrom lipbench import Measure\nclass M(Measure):\n    {}\n    def of_pictures(self, fake, real): ...\n'
)


@pytest.mark.parametrize("name", ["fid", "step", "part", "gap", "critic_loss", "grad_norm_p50", "raw_secant_1"])
def test_a_measure_with_a_name_that_a_run_uses_itself_is_refused(tmp_path: Path, name: str) -> None:
    for path, columns in ((tmp_path / f"{name}.py", ""), (tmp_path / "mine.py", f"columns = {{{name!r}: {{}}}}")):
        path.write_text(MEASURE.format(columns))
        with pytest.raises(RequestError, match=f"gives the column {name}, which every run gives already; expected"):
            ask("gn", overrides={"evaluate.measures": str(path)})


def test_an_architecture_with_parameters_is_another_comparison_and_a_default_is_not() -> None:
    plain, same, narrow = (
        ask("gn", overrides={"architecture": text})[0].cell for text in ("cnn-8", "cnn_8[width=16]", "cnn-8[width=8]")
    )
    assert same == plain
    assert str(narrow.architecture) == narrow.protocol.architecture == "cnn-8[width=8]"
    assert narrow.comparison != plain.comparison


LOSS = """from lipbench import Loss
class Mine(Loss):
    slope: float = 1.0
    def critic(self, real, fake): return self.slope * (fake.mean() - real.mean())
    def generator(self, fake): return -fake.mean()
"""


def test_a_loss_of_ones_own_is_copied_and_hashed(tmp_path: Path) -> None:
    path = tmp_path / "tilted.py"
    path.write_text(LOSS)
    (planned,) = ask("gn", overrides={"loss": f"{path}[slope=2]"})
    assert planned.cell.protocol.loss == str(planned.cell.loss) == "tilted[slope=2.0]"
    assert planned.contents() == {"loss.py": LOSS.encode()}
    path.write_text(LOSS + "\n")
    (other,) = ask("gn", overrides={"loss": f"{path}[slope=2]"})
    assert other.cell.comparison != planned.cell.comparison
    assert other.cell.protocol.id == planned.cell.protocol.id


def test_a_plugin_of_one_kind_given_as_another_is_named_with_the_way_to_give_it(tmp_path: Path) -> None:
    path = tmp_path / "tilted.py"
    path.write_text(LOSS)
    with pytest.raises(
        PluginError, match=r"defines 0 methods, but a loss, which is asked for by --set loss=/.*/tilted.py"
    ):
        ask(str(path))


def test_networks_of_ones_own_may_be_a_class_with_parameters(tmp_path: Path) -> None:
    path = tmp_path / "wide.py"
    path.write_text("from lipbench.nets.mlp import Mlp\nclass Wide(Mlp):\n    width = 8\n")
    (planned,) = ask("gn", overrides={"architecture": f"{path}[width=9]"})
    assert str(planned.cell.architecture) == "wide[width=9]"
    assert list(planned.contents()) == ["architecture.py"]


@pytest.mark.parametrize(
    ("methods", "protocol", "run_id"),
    [
        ("gn", "digits", "gn-digits-s0-49a4daaca0"),
        ("sn+gp[weight=1]", "digits", "sn+gp-weight-1.0-digits-s0-cdc103b07f"),
        ("gp", "cifar10-cnn", "gp-cifar10-s0-403fa994cb"),
        ("wc", "w1", "wc-w1-s0-a69cd01809"),
    ],
)
def test_runs_keep_their_ids_from_version_to_version(methods: str, protocol: str, run_id: str) -> None:
    (planned,) = plan(methods, None, [0], protocol, {})
    assert planned.cell.run_id == run_id
