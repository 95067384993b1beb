"""What a row of the table takes from a run folder."""

from pathlib import Path

import pytest

from lipbench.reports.reading import frame
from tests.conftest import MakeRun


@pytest.mark.parametrize(
    ("environment", "device"),
    [
        ({"device": "NVIDIA H100 80GB HBM3"}, "NVIDIA H100 80GB HBM3"),
        ({"device": "cpu"}, "cpu"),  # as earlier versions called every processor
        ({"device": 3}, "cuda:0"),
        ({}, "cuda:0"),
    ],
)
def test_the_device_is_known_by_its_name(
    make_run: MakeRun, tmp_path: Path, environment: dict[str, object], device: str
) -> None:
    folder = make_run("gn")
    folder.write_json("result.json", {"status": "done", "step": 6, "fid": 3.0, "device": "cuda:0"})
    folder.write_json("environment.json", environment)
    assert list(frame.read(tmp_path / "results").runs["device"]) == [device]


def test_networks_of_another_width_are_other_networks(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("gn", architecture="cnn-8[width=4]")
    folder.write_json("result.json", {"status": "done", "step": 6, "fid": 3.0})
    assert list(frame.read(tmp_path / "results").runs["architecture"]) == ["cnn-8[width=4]"]
