"""The modes of generated pictures."""

import json

import lipbench
from lipbench.reports.reading import frame
from tests.conftest import TINY, MakeRun
from tests.work.cells import result

COUNTED = ("modes", "modes_covered", "modes_kl")
STACKS = {"protocol": "stacked-digits", "datasets": "stacked-digits[count=400]"}


def test_every_evaluation_of_data_with_modes_counts_them_and_the_table_has_the_last(make_run: MakeRun) -> None:
    folder = make_run("gn", finished=True, **STACKS)
    found, (lines, _) = result(folder), folder.trace()
    assert found["extractor"].startswith("stacked-digits-cnn@")
    assert [line["modes"] for line in lines] == [1000, 1000]
    for line in lines:
        assert 1 <= line["modes_covered"] <= TINY["evaluate.samples"]
        # 64 modes, the most that so few pictures cover, have at most .09 of the probability: −ln .09 is 2.4.
        assert 2.4 < line["modes_kl"] < 8
    assert {key: found[key] for key in COUNTED} == {key: lines[-1][key] for key in COUNTED}
    assert "high_quality" not in found
    (run,) = frame.read(folder.path.parent.parent).runs.to_dict("records")
    assert {key: run[key] for key in COUNTED} == {key: found[key] for key in COUNTED}


def test_its_yardsticks_count_those_of_noise_and_of_real_pictures(make_run: MakeRun) -> None:
    results = make_run("gn", **STACKS).path.parent.parent
    lipbench.prepare("stacked-digits", datasets="stacked-digits[count=400]", overrides=TINY, results=results)
    (file,) = (results / "yardsticks").glob("*.json")
    found = json.loads(file.read_text())
    assert {found[name]["modes"] for name in ("real", "noise")} == {1000}
    assert found["real"]["modes_kl"] < found["noise"]["modes_kl"]


def test_data_without_modes_have_no_such_numbers(make_run: MakeRun) -> None:
    folder = make_run("gn", finished=True)
    assert not set(COUNTED) & (result(folder).keys() | folder.trace()[0][0].keys())
