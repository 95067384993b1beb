"""What is done before the first run, or ahead of time."""

import json
import os
import resource
import signal
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from torch import Tensor

import lipbench
from lipbench.cli import main
from lipbench.errors import RequestError, StoreError
from lipbench.measuring import fidelity
from lipbench.measuring.features import Features
from tests.conftest import TINY, MakeRun
from tests.work.cells import HALVES


def test_it_says_what_is_ready(tmp_path: Path) -> None:
    (ready,) = lipbench.prepare("digits", results=tmp_path)
    assert (ready.train, ready.held_out, ready.shape, ready.real) == (1438, 359, (1, 8, 8), 1438)
    assert ready.extractor.startswith("digits-cnn@")
    (file,) = (tmp_path / "yardsticks").iterdir()
    assert json.loads(file.read_text())["noise"]["fid"] > 500


def test_a_run_after_it_looks_at_two_real_pictures_alone(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPBENCH_CACHE", str(tmp_path / "cache"))
    lipbench.prepare("digits", overrides=TINY, results=tmp_path)
    asked = []
    extract = Features.extract
    monkeypatch.setattr(Features, "extract", lambda self, x, **how: asked.append(len(x)) or extract(self, x, **how))
    assert make_run("gn", finished=True).status() == "done"
    # Two are tried before the features in the cache are used.
    assert set(asked) == {TINY["evaluate.samples"], fidelity.TRIED}


def test_statistics_that_are_gone_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPBENCH_CACHE", str(tmp_path / "cache"))
    lipbench.prepare("digits", overrides=TINY, results=tmp_path)
    made = {path.name for path in (tmp_path / "cache" / "features").iterdir()}
    for path in (tmp_path / "cache" / "features").iterdir():
        path.unlink()
    (yardsticks,) = (tmp_path / "yardsticks").iterdir()
    yardsticks.unlink()
    lipbench.prepare("digits", overrides=TINY, results=tmp_path)
    assert {path.name for path in (tmp_path / "cache" / "features").iterdir()} == made


def test_fewer_pictures_than_features_are_noted(tmp_path: Path) -> None:
    said: list[str] = []
    overrides = TINY | {"evaluate.real_samples": 40}
    (ready,) = lipbench.prepare("digits", overrides=overrides, results=tmp_path, note=said.append)
    assert ready.real == 40
    assert said == [
        "FID of 64 pictures against 40 from 64 features is unstable: compare KID, or evaluate more pictures."
    ]


def test_a_cache_folder_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LIPBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(StoreError, match="cannot be written to: .*file/features.*; expected room for .*LIPBENCH_CACHE"):
        lipbench.prepare("digits", overrides=TINY, results=tmp_path / "results")


def test_a_full_disk_is_named_and_leaves_no_yardsticks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPBENCH_CACHE", str(tmp_path / "cache"))
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, most[1]))
    try:
        with pytest.raises(StoreError, match="features.* cannot be written: File too large.*LIPBENCH_CACHE"):
            lipbench.prepare("digits", overrides=TINY, results=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not (tmp_path / "yardsticks").exists()
    assert not list((tmp_path / "cache" / "features").iterdir())


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"pictures": 7, "extractor": "x"}', "folder", "pipe"])
def test_damaged_yardsticks_are_refused_as_nobody_knows_the_data_of_the_runs(tmp_path: Path, damage: str) -> None:
    lipbench.prepare("digits", overrides=TINY, results=tmp_path)
    (file,) = (tmp_path / "yardsticks").iterdir()
    file.unlink()
    if damage == "folder":
        file.mkdir()
    elif damage == "pipe":
        os.mkfifo(file)
    else:
        file.write_text(damage)
    with pytest.raises(
        StoreError, match="yardsticks/.* (is|cannot) .*; expected the digests of the data.*move the file away"
    ):
        lipbench.prepare("digits", overrides=TINY, results=tmp_path)


def test_the_command_says_what_is_ready(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["prepare", "--results", str(tmp_path), "--set", "evaluate.samples=600"])
    assert result.exit_code == 0, result.output
    assert "digits: 1,438 pictures to train with and 359 held out, 1×8×8; 1,438 real ones measured by" in result.output


def test_data_that_is_missing_is_a_message_and_exit_code_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("torchvision.datasets.cifar.download_and_extract_archive", refuse)
    words = ["prepare", "--protocol", "cifar10-cnn", "--data-root", str(tmp_path / "data"), "--results", str(tmp_path)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "Error: CIFAR-10 is not in the data folder" in result.output
    assert "Traceback" not in result.output


def test_what_is_to_be_known_of_the_pictures_is_said(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.new("L", (8, 8), 100).save(tmp_path / "images" / f"{number:02}.png")
    overrides = TINY | {"train.batch_size": 8, "evaluate.samples": 32, "evaluate.kid_subset_size": 8}
    name, said = f"folder[path={tmp_path}/images,size=8]", []
    lipbench.prepare("digits", datasets=name, overrides=overrides, results=tmp_path, note=said.append)
    assert said[0] == f"{name}: held out when training: 2 of 20 pictures."
    assert said[1] == f"{name}: all 18 training pictures are equal."


def test_other_pictures_under_the_same_name_are_refused_in_the_same_results(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    overrides = TINY | {"train.batch_size": 8, "evaluate.samples": 32, "evaluate.kid_subset_size": 16}

    def prepare(seed: int) -> None:
        pixels = np.random.default_rng(seed).integers(0, 256, (40, 8, 8), dtype=np.uint8)
        for number, picture in enumerate(pixels):
            Image.fromarray(picture).save(folder / f"{number:02}.png")
        lipbench.prepare("digits", datasets=f"folder[path={folder},size=8]", overrides=overrides, results=tmp_path)

    prepare(0)
    prepare(0)
    with pytest.raises(
        RequestError,
        match="has pictures .* are planned with pictures .*; expected the same.*another --results",
    ):
        prepare(1)


def test_other_weights_of_the_extractor_are_refused_in_the_same_results(tmp_path: Path) -> None:
    lipbench.prepare("digits", overrides=TINY, results=tmp_path)
    (file,) = (tmp_path / "yardsticks").iterdir()
    file.write_text(file.read_text().replace("digits-cnn@", "digits-cnn@0"))
    with pytest.raises(RequestError, match="has extractor digits-cnn@.* are planned with extractor digits-cnn@0"):
        lipbench.prepare("digits", overrides=TINY, results=tmp_path)


def test_both_extractors_measure_the_real_pictures_once_and_guard_the_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "halves.py").write_text(HALVES)
    overrides = TINY | {"evaluate.curve_extractor": str(tmp_path / "halves.py")}
    (ready,) = lipbench.prepare("digits", overrides=overrides, results=tmp_path)
    assert ready.extractor.partition("@")[0] == "digits-cnn"
    assert " and halves@" in ready.extractor
    assert len(list((tmp_path / "cache" / "features").glob("*-moments.npz"))) == 2
    (file,) = (tmp_path / "yardsticks").iterdir()
    file.write_text(file.read_text().replace("halves@", "halves@0"))
    with pytest.raises(RequestError, match="has curve_extractor halves@.* are planned with curve_extractor halves@0"):
        lipbench.prepare("digits", overrides=overrides, results=tmp_path)


def test_real_pictures_are_measured_part_by_part_and_go_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPBENCH_CACHE", str(tmp_path / "whole"))
    lipbench.prepare("digits", overrides=TINY, results=tmp_path / "a")
    monkeypatch.setenv("LIPBENCH_CACHE", str(tmp_path / "parts"))
    monkeypatch.setattr(fidelity, "PART_BATCHES", 1)
    asked: list[int] = []
    extract = Features.extract

    def stopped(self: Features, pictures: Tensor, **how: bool) -> dict[str, Tensor]:
        asked.append(len(pictures))
        if asked == [500, 500, 438]:
            raise KeyboardInterrupt
        return extract(self, pictures, **how)

    monkeypatch.setattr(Features, "extract", stopped)
    with pytest.raises(KeyboardInterrupt):
        lipbench.prepare("digits", overrides=TINY, results=tmp_path / "b")
    assert len(list((tmp_path / "parts" / "features").glob("*-from-*.npz"))) == 2
    lipbench.prepare("digits", overrides=TINY, results=tmp_path / "b")
    # The third part alone, and then the noise of a yardstick; two pictures are tried of each part that is kept.
    assert [count for count in asked[3:] if count != fidelity.TRIED][:2] == [438, TINY["evaluate.samples"]]
    found, expected = (
        {path.name: dict(np.load(path)) for path in (tmp_path / name / "features").iterdir()}
        for name in ("parts", "whole")
    )
    assert found.keys() == expected.keys()
    for name, arrays in expected.items():
        assert all(np.array_equal(found[name][key], array) for key, array in arrays.items())


def test_counts_that_the_data_cannot_give_are_said(tmp_path: Path) -> None:
    said: list[str] = []
    lipbench.prepare("digits", overrides=TINY | {"evaluate.real_samples": 5000}, results=tmp_path, note=said.append)
    assert said == [
        "evaluate.real_samples is 5000, more than 64 generated pictures and 1,438 of the train split of digits allow: "
        "it is taken to be 1438."
    ]
