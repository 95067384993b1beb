"""Scoring again what is finished, and pictures from anywhere."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

import lipbench
from lipbench.cli import main
from lipbench.data.digits import Digits
from lipbench.errors import LipbenchError, RequestError, StoreError
from lipbench.request import protocol
from lipbench.work.run import work
from tests.assets import CIFAR10, INCEPTION, needs
from tests.conftest import MakeRun


@pytest.fixture
def digits(tmp_path: Path) -> str:
    """Sixty real digits as files."""
    folder = tmp_path / "digits"
    folder.mkdir()
    for number, picture in enumerate(Digits().load().train[:60]):
        Image.fromarray(picture[0].numpy()).save(folder / f"{number:03}.png")
    return f"folder[path={folder},size=8]"


def test_a_run_scores_as_it_did_when_it_was_finished(make_run: MakeRun) -> None:
    run = make_run("gn", finished=True)
    result = run.read_json("result.json") or {}
    (record,) = lipbench.evaluate(run.path)
    assert record["fid"] == pytest.approx(result["fid"])
    assert record["kid_mean"] == pytest.approx(result["kid"])
    assert record["inception_score"] == pytest.approx(result["inception_score"])
    assert record["samples"] == 64
    assert record["extractor"] == result["extractor"]
    assert record["comparison"] == json.loads(run.cell_text())["comparison"]
    assert (record["status"], record["step"]) == ("done", 6)


def test_more_samples_are_another_protocol_and_begin_with_the_same_ones(make_run: MakeRun) -> None:
    run = make_run("wc", finished=True)
    few, many = (lipbench.evaluate(run.path, samples=count)[0] for count in (64, 200))
    assert (few["samples"], many["samples"]) == (64, 200)
    assert few["comparable"] != many["comparable"]
    assert few["fid"] != many["fid"]


def test_several_runs_are_scored_by_the_beginning_of_their_ids(make_run: MakeRun, tmp_path: Path) -> None:
    for method in ("gn", "sn"):
        make_run(method, finished=True)
    records = lipbench.evaluate(["gn", "sn-digits"], results=tmp_path / "results")
    assert [record["method"] for record in records] == ["gn", "sn"]


def test_a_run_is_scored_against_other_real_pictures(make_run: MakeRun, digits: str) -> None:
    run = make_run("gn", finished=True)
    own, other = lipbench.evaluate(run.path)[0], lipbench.evaluate(run.path, against=digits, split="all")[0]
    (followed,) = lipbench.evaluate(run.path, overrides={"evaluate.curve_extractor": "digits-cnn"})
    assert followed["comparable"] == own["comparable"]  # it is not asked for a score
    assert other["real_samples"] == 60
    assert other["comparable"] != own["comparable"]


def test_a_run_that_is_not_finished_is_scored_and_said_to_be_so(make_run: MakeRun) -> None:
    class Stop(BaseException):
        pass

    def stop(step: int) -> None:
        if step > 3:
            raise Stop

    run = make_run("gn")
    with pytest.raises(Stop):
        work(run, "cpu", stop, [])
    (record,) = lipbench.evaluate(run.path)
    assert (record["status"], record["step"]) == ("interrupted", 3)
    assert record["notes"][0] == "The run was trained for 3 of 6 steps."


def test_a_run_and_a_folder_that_are_measured_alike_have_one_id(make_run: MakeRun, digits: str) -> None:
    run = make_run("wc", finished=True)
    of_run, of_other = (
        lipbench.evaluate(subject, samples=60)[0] for subject in (run.path, make_run("gn", finished=True).path)
    )
    same = {"evaluate.kid_subsets": 2, "evaluate.kid_subset_size": 32, "evaluate.isc_splits": 2}
    (of_folder,) = lipbench.evaluate(digits, against="digits", protocol="digits", overrides=same)
    assert of_run["comparable"] == of_other["comparable"] == of_folder["comparable"]


def test_the_spread_of_kid_is_never_that_of_one_and_the_same_subset(digits: str) -> None:
    (record,) = lipbench.evaluate(digits, against="digits", protocol="digits")
    assert record["kid_std"] > 1e-3


def test_the_protocols_own_split_and_count_hold_unless_told_otherwise(digits: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = protocol.text("digits").replace('split = "train"', 'split = "held_out"\nreal_samples = 300')
    path.write_text(text)
    (record,) = lipbench.evaluate(digits, against="digits", protocol=str(path))
    assert (record["against"], record["real_samples"]) == ("digits-held_out-300", 300)
    (record,) = lipbench.evaluate(digits, against=digits, protocol=str(path))
    assert record["real_samples"] == 60


def test_a_folder_against_itself_has_fid_0(digits: str) -> None:
    (record,) = lipbench.evaluate(digits, against=digits, protocol="digits")
    assert record["fid"] == pytest.approx(0, abs=1e-3)
    assert (record["samples"], record["real_samples"]) == (60, 60)
    assert any("60 pictures against 60 from 64 features is unstable" in note for note in record["notes"])
    assert record["notes"].count(f"{digits}: held out when training: 6 of 60 pictures.") == 1


def test_a_folder_is_scored_against_a_published_sets_training_part(digits: str) -> None:
    (record,) = lipbench.evaluate(digits, against="digits", protocol="digits")
    assert record["against"] == "digits-train"
    assert record["real_samples"] == 1438
    (record,) = lipbench.evaluate(digits, against="digits", protocol="digits", split="held_out", samples=50)
    assert (record["samples"], record["real_samples"]) == (50, 359)


def test_the_command_prints_the_scores_and_writes_them_as_json(digits: str, tmp_path: Path) -> None:
    file = tmp_path / "scores.json"
    words = ["evaluate", digits, "--against", digits, "--protocol", "digits", "--json", str(file)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "60 against 60" in result.output
    record = json.loads(file.read_text())
    assert {"fid", "kid_mean", "kid_std", "inception_score", "samples", "extractor", "comparable"} <= set(record)
    CliRunner().invoke(main, [*words[:2], *words[1:]])
    assert [scored["subject"] for scored in json.loads(file.read_text())] == [digits, digits]


def test_pictures_against_themselves_are_precise_and_covered(digits: str) -> None:
    (record,) = lipbench.evaluate(digits, against=digits, protocol="digits", measures=["prdc[k=3]"])
    (plain,) = lipbench.evaluate(digits, against=digits, protocol="digits")
    assert {name: record["measures"][name] for name in ("precision", "recall", "coverage")} == {
        "precision": 1.0,
        "recall": 1.0,
        "coverage": 1.0,
    }
    assert plain["measures"] == {}
    assert {**record, "measures": {}} == plain


def test_a_run_scored_again_has_the_values_of_its_measures(make_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "drawn.py").write_text(
        "import torch\nfrom lipbench import Measure\nclass Drawn(Measure):\n"
        "    def of_pictures(self, fake, real): return fake.float().mean() + torch.rand(())\n"
    )
    folder = make_run("gn", finished=True, evaluate__measures=f"{tmp_path / 'drawn.py'},prdc[k=3]")
    (tmp_path / "drawn.py").unlink()  # the run has its copy
    result = folder.result()
    assert result is not None
    (record,) = lipbench.evaluate(str(folder.path))
    assert record["measures"] == {name: result[name] for name in record["measures"]}
    assert len(record["measures"]) == 5


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"against": None}, "there is nothing to compare it with; expected real pictures, such as --against cifar10"),
        ({"samples": 61}, "61 samples are wanted of folder.* which has 60 pictures"),
        ({"against": "digits,digits[x=1]"}, "unknown parameter|names 2 data sets"),
        ({"split": "test"}, "split is 'test'; expected one of: train, held_out, all"),
        ({"overrides": {"train.steps": 3}}, "'train.steps' is not one of evaluation"),
        ({"overrides": {"evaluate.kid_subset_size": 61}}, "kid_subset_size is 61, but there are 60 pictures"),
        ({"overrides": {"evaluate.real_samples": 61}}, "61 real pictures are wanted .* which has 60"),
        ({"extractor": "inception-v3"}, "unknown extractor 'inception-v3'.*Did you mean 'inception-v3-compat'"),
        ({"against": "digit"}, "unknown data set 'digit'.*Did you mean 'digits'"),
    ],
)
def test_what_cannot_be_scored_is_refused(digits: str, changes: dict[str, Any], expected: str) -> None:
    asked: dict[str, Any] = {"against": digits, "protocol": "digits"}
    with pytest.raises(RequestError, match=expected):
        lipbench.evaluate(digits, **(asked | changes))


def test_pictures_of_unequal_sizes_are_refused(digits: str, tmp_path: Path) -> None:
    smaller = digits.replace("size=8", "size=4")
    with pytest.raises(RequestError, match="extractor digits-cnn takes pictures of shape"):
        lipbench.evaluate(smaller, against=digits, protocol="digits")


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("{folder}", "named 'folder.path=.*,size=32.'"),
        ("gn-digits", "there are no runs in|there is no run 'gn-digits'"),
    ],
)
def test_a_subject_that_is_neither_run_nor_data_set_is_refused(tmp_path: Path, subject: str, expected: str) -> None:
    with pytest.raises(LipbenchError, match=expected):
        lipbench.evaluate(subject.format(folder=tmp_path), results=tmp_path / "results")


def test_a_folder_whose_path_must_be_quoted_is_named_so_that_the_shell_and_lipbench_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "it's a,b[1]"
    folder.mkdir()
    with pytest.raises(RequestError, match="as pictures it is named ") as refused:
        lipbench.evaluate(folder)
    (named,) = shlex.split(str(refused.value).partition(" named ")[2])
    assert named == f'folder[path="{folder}",size=32]'
    with pytest.raises(RequestError, match="holds 0 images"):
        lipbench.evaluate(named, against="digits")


@pytest.mark.parametrize("given", [str, Path])
def test_a_run_is_found_whatever_characters_its_folder_has(make_run: MakeRun, given: type) -> None:
    folder = make_run("gn", results="a,b [c]+d")
    with pytest.raises(StoreError, match="has no checkpoint yet"):
        lipbench.evaluate(given(folder.path))


def test_a_protocol_for_a_run_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(RequestError, match="is a run and has a protocol of its own"):
        lipbench.evaluate(make_run("gn", finished=True).path, protocol="digits")


def test_a_folder_for_the_scores_that_is_not_there_is_refused_before_anything_is_measured(
    digits: str, tmp_path: Path
) -> None:
    words = ["evaluate", digits, "--against", digits, "--json", str(tmp_path / "nowhere" / "x.json")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "there is no folder" in result.output


@needs(CIFAR10)
@needs(INCEPTION)
@pytest.mark.slow
def test_256_real_test_pictures_against_themselves_have_fid_0_by_the_real_network(tmp_path: Path) -> None:

    from lipbench.data.cifar10 import Cifar10
    from lipbench.disk.places import at

    with at(CIFAR10.parent, None):
        pictures = Cifar10().load().held_out[:256]
    (tmp_path / "fakes").mkdir()
    for number, picture in enumerate(pictures):
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(tmp_path / "fakes" / f"{number}.png")
    folder = f"folder[path={tmp_path / 'fakes'},size=32]"
    (record,) = lipbench.evaluate(folder, against=folder, inception_weights=INCEPTION)
    assert record["fid"] == pytest.approx(0, abs=1e-3)
    assert record["samples"] == 256
    assert record["inception_score"] is None
    assert len(record["notes"]) == 3
