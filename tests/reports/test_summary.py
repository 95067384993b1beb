"""The report in two sentences."""

from pathlib import Path

from lipbench import api
from tests.conftest import MakeRun


def sentence(results: Path, **options: str) -> str:
    page = api.report(results, **options).page.read_text()
    return page.partition("</h1>")[2].partition("</p>")[0].rpartition("<p>")[2]


def test_it_counts_and_names_the_best_mean_without_claiming_more(results: Path) -> None:
    told = sentence(results)
    assert told.startswith("4 runs of 2 methods in 1 comparison: 4 finished. ")
    assert "The lowest mean FID is that of " in told
    assert told.endswith("; whether methods differ is tested against a --baseline.")


def test_diverged_and_unfinished_runs_are_counted(make_run: MakeRun, results: Path) -> None:
    make_run("sn")
    make_run("none").write_json("result.json", {"status": "diverged", "step": 2, "diverged_at": 2})
    assert sentence(results).startswith("6 runs of 4 methods in 1 comparison: 4 finished, 1 diverged, 1 unfinished. ")


def test_several_comparisons_count_their_leaders(make_run: MakeRun, results: Path) -> None:
    make_run("gn", finished=True, train__steps=3)
    assert "In 2 comparisons the lowest mean FID is that of " in sentence(results)


def test_nothing_finished_is_said(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("gn")
    assert sentence(tmp_path / "results").endswith("Nothing has been measured to the end yet.")
