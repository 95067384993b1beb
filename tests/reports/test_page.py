"""The report, from run folders to the page."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from lipbench import api
from lipbench.errors import StoreError
from lipbench.reports import frame
from lipbench.store import RunFolder
from tests.conftest import MakeRun


class Page(HTMLParser):
    """What a page refers to, and the texts of its pictures."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.alternatives: list[str] = []
        self.open: list[str] = []
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.sources += [value for key in ("src", "href") if (value := given.get(key))]
        if tag == "img":
            self.alternatives.append(given.get("alt") or "")
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def results(make_run: MakeRun, tmp_path: Path) -> Path:
    for method in ("gn", "wc"):
        for seed in (0, 1):
            make_run(method, seed=seed, finished=True)
    return tmp_path / "results"


def test_the_table_has_every_column_in_order_and_empty_where_nothing_was_measured(results: Path) -> None:
    report = api.report(results)
    table = pd.read_csv(results / "report" / "runs.csv")
    assert list(table.columns) == frame.COLUMNS == list(report.runs.columns)
    assert len(table) == 4
    assert table["secant_max"].isna().all()
    assert table["w1_estimate"].isna().all()
    assert set(table["status"]) == {"done"}
    assert (table["steps"] == 6).all()
    assert table["fid"].gt(0).all()


def test_the_page_needs_no_network_and_every_picture_has_a_text(results: Path) -> None:
    page = Page(api.report(results).page)
    assert page.open == []
    assert page.sources
    assert all(source.startswith("data:") for source in page.sources)
    assert len(page.alternatives) == 5 + 2
    assert all(page.alternatives)
    assert not re.search(r"https?://", re.sub(r"data:[^\"]+", "", page.text))


def test_figures_and_summaries_lie_beside_the_page(results: Path, tmp_path: Path) -> None:
    api.report(results, tmp_path / "elsewhere")
    names = {re.sub("-digits.*", "", path.name) for path in (tmp_path / "elsewhere" / "figures").iterdir()}
    assert names == {"fid-steps", "fid-seconds", "fid-final", "gradient-norms", "cost", "samples"}
    (summary,) = (tmp_path / "elsewhere" / "tables").iterdir()
    assert list(pd.read_csv(summary)["n"]) == [2, 2]


def test_protocols_never_share_a_table(make_run: MakeRun, results: Path) -> None:
    make_run("gn", finished=True, train__steps=3)
    report = api.report(results)
    assert [len(summary) for _, summary in report.summaries] in ([2, 1], [1, 2])


def test_runs_that_are_not_done_are_named_with_their_reason_and_kept_out_of_means(
    make_run: MakeRun, results: Path
) -> None:
    make_run("sn").record_failure("error", "<no> luck")
    page = api.report(results).page.read_text()
    assert "failed at step 0: &lt;no&gt; luck" in page


def test_a_damaged_folder_is_named_and_hides_no_other(make_run: MakeRun, results: Path) -> None:
    make_run("sn", finished=True).file("cell.json").write_text("{")
    make_run("gp", finished=True).file("result.json").write_text("{")
    with make_run("gp[weight=1]", finished=True).file("trace.jsonl").open("a") as file:
        file.write('{"step": 9')
    report = api.report(results)
    assert len(report.runs) == 5
    assert len(report.problems) == 3
    page = report.page.read_text()
    for part in ("cell.json", "result.json", "line 3 of trace.jsonl is damaged"):
        assert part in page


def test_half_a_run_folder_is_reported_as_interrupted(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("gn")
    report = api.report(tmp_path / "results")
    assert list(report.runs["status"]) == ["interrupted"]
    assert "No run has been evaluated yet" in report.page.read_text()


def test_two_versions_of_ones_own_method_are_told_apart(make_run: MakeRun, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    for number in (1, 2):
        path.write_text(f'"""Mine."""\nfrom lipbench import Method\nclass Mine(Method):\n    n: int = {number}\n')
        make_run(str(path), finished=True)
    methods = set(api.report(tmp_path / "results").runs["method"])
    assert len(methods) == 2
    assert all(re.fullmatch(r"mine@[0-9a-f]{6}", method) for method in methods)


def test_samples_of_all_methods_are_of_one_seed(results: Path) -> None:
    page = api.report(results).page.read_text()
    assert re.findall(r"(gn|wc), seed (\d), step 6", page) == [("gn", "0"), ("wc", "0")]


def test_yardsticks_are_shown_and_damaged_ones_named(results: Path) -> None:
    folder = RunFolder(next((results / "runs").iterdir()))
    from lipbench import cell as cells

    name = cells.parse(folder.cell_text(), "x").comparison_id
    path = results / "yardsticks" / f"{name}.json"
    path.parent.mkdir()
    numbers = '{"fid": 4.8, "inception_score": 9.4, "samples": 719}'
    path.write_text(f'{{"real": {numbers}, "noise": {numbers}}}')
    assert "one half of the real pictures against the other half has FID\n4.8" in api.report(results).page.read_text()
    path.write_text("{")
    assert any("yardsticks" in problem for problem in api.report(results).problems)


def test_no_readable_run_is_an_error_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with pytest.raises(StoreError, match="run some first: lipbench run"):
        api.report(tmp_path)


def test_a_report_folder_that_cannot_be_made_is_refused(results: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="choose one by --out"):
        api.report(results, tmp_path / "file" / "out")
