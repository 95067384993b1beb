"""Which runs are judged over several data sets."""

import numpy as np
import pandas as pd
import pytest

from lipbench.reports.suites import refusal, suites
from tests.reports.builder import table


def rows(fids: dict[tuple[str, str], list[float]]) -> list[dict[str, object]]:
    return [
        {"method": method, "dataset": data, "seed": seed, "fid": fid}
        for (method, data), values in fids.items()
        for seed, fid in enumerate(values)
    ]


def two(**shared: object) -> pd.DataFrame:
    """Different numbers of seeds."""
    fids = {("gn", "a"): [2.0, 4.0, 6.0], ("gn", "b"): [10.0], ("sn", "a"): [3.0], ("sn", "b"): [20.0, 40.0]}
    return table(rows(fids), **shared)


def test_methods_of_one_protocol_are_judged_over_its_data_sets() -> None:
    (suite,) = suites(two())
    assert suite.datasets == ["a", "b"]
    assert [list(values) for values in suite.outcomes["gn"]] == [[-2, -4, -6], [-10]]
    assert suite.losses.tolist() == [[4, 3], [10, 30]]


def even(**shared: object) -> pd.DataFrame:
    """Two seeds of everything."""
    fids = {("gn", "a"): [2.0, 4.0], ("gn", "b"): [10.0, 20.0], ("sn", "a"): [3.0, 5.0], ("sn", "b"): [20.0, 40.0]}
    return table(rows(fids), **shared)


def test_scores_lie_between_noise_and_real_pictures_on_a_logarithm() -> None:
    (suite,) = suites(even(fid_real=2.0, fid_noise=200.0))
    assert suite.scores is not None
    assert suite.scores["gn"][0] == pytest.approx(np.log([100, 50]) / np.log(100))
    assert suite.scores["gn"][0][0] == pytest.approx(1)


@pytest.mark.parametrize("anchors", [{}, {"fid_real": 0.0, "fid_noise": 9.0}, {"fid_real": 9.0, "fid_noise": 3.0}])
def test_without_sound_yardsticks_there_are_ranks_and_no_scores(anchors: dict[str, float]) -> None:
    (suite,) = suites(even(**anchors))
    assert suite.scores is None
    assert suite.no_scores.startswith("No score can be made of the FID of a, b: ")


def test_an_fid_of_nothing_has_no_score() -> None:
    runs = even(fid_real=2.0, fid_noise=200.0)
    runs.loc[0, "fid"] = 0.0
    assert suites(runs)[0].scores is None


def test_scores_of_uneven_seeds_are_not_pooled() -> None:
    (suite,) = suites(two(fid_real=2.0, fid_noise=200.0))
    assert suite.scores is None
    assert suite.no_scores.startswith("No scores are pooled")


def test_a_diverged_run_stays_as_the_worst() -> None:
    lost = table({"method": "gn", "dataset": data, "seed": 2, "status": "diverged"} for data in "ab")
    (suite,) = suites(pd.concat([even(fid_real=2.0, fid_noise=200.0), lost], ignore_index=True))
    assert suite.scores is not None
    assert suite.outcomes["gn"][1].tolist() == [-10, -20, -np.inf]
    assert suite.scores["gn"][1][2] == -np.inf
    assert suite.losses[1, 0] == 20


def test_a_data_set_without_the_measure_is_left_out_by_name() -> None:
    other = table({"method": method, "dataset": "c", "cos": 0.5} for method in ("gn", "sn"))
    lost = table([{"method": "gn", "dataset": "c", "seed": 1, "status": "diverged"}])
    (suite,) = suites(pd.concat([two(), other, lost], ignore_index=True))
    assert suite.datasets == ["a", "b"]
    assert suite.left_out == ["c is left out: fewer than two methods have an FID there."]


def test_runs_that_do_not_count_are_counted() -> None:
    failed = table([{"method": "gn", "dataset": "a", "seed": 9, "status": "failed"}])
    (suite,) = suites(pd.concat([two(), failed], ignore_index=True))
    assert suite.left_out == ["1 runs that are not finished, or have no FID, do not count."]


def test_a_method_that_lacks_a_data_set_is_left_out_by_name() -> None:
    runs = pd.concat([two(), table([{"method": "gp", "dataset": "a", "fid": 1.0}])], ignore_index=True)
    (suite,) = suites(runs)
    assert list(suite.outcomes) == ["gn", "sn"]
    assert suite.left_out == ["gp is left out: it has no outcome on b."]


def test_runs_that_are_not_finished_are_no_outcome() -> None:
    runs = two()
    runs.loc[runs["dataset"] == "b", "status"] = "failed"
    assert suites(runs) == []


def test_one_data_set_or_one_method_is_no_suite() -> None:
    runs = two()
    assert suites(runs[runs["dataset"] == "a"]) == []
    assert suites(runs[runs["method"] == "gn"]) == []


def test_different_protocols_are_never_ranked_together_and_the_reason_is_named() -> None:
    runs = pd.concat([two(samples=2000), two(samples=500, comparison="c2", protocol="other")], ignore_index=True)
    assert [suite.comparison for suite in suites(runs)] == ["c1", "c2"]
    told = refusal(runs, {"c1": {"train.steps": 10, "train.batch_size": 4}, "c2": {"train.steps": 20}})
    assert told is not None
    assert "mine (c1), other (c2)" in told
    assert "they differ in samples (2000 / 500), train.steps (10 / 20), and numbers" in told


def test_one_protocol_needs_no_excuse() -> None:
    assert refusal(two(), {}) is None


def test_many_differences_are_counted() -> None:
    runs = pd.concat([two(), two(comparison="c2")], ignore_index=True)
    settings = [{f"train.key{number}": value for number in range(9)} for value in (1, 2)]
    assert "train.key3 (1 / 2), 5 more, and numbers" in str(
        refusal(runs, dict(zip(("c1", "c2"), settings, strict=True)))
    )
