"""The report, from run folders to the page."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from lipbench.api import running
from lipbench.disk.store import RunFolder
from lipbench.errors import StoreError
from lipbench.reports.reading import frame
from lipbench.request import cell as cells
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
        if tag not in ("meta", "link", "img", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_table_has_every_column_in_order_and_empty_where_nothing_was_measured(results: Path) -> None:
    report = running.report(results)
    table = pd.read_csv(results / "report" / "runs.csv")
    assert list(table.columns) == frame.NAMES == list(report.runs.columns)
    assert len(table) == 4
    for name in ("cos", "l2", "w1_estimate", "w1_true", "pair"):
        assert table[name].isna().all(), name
    assert (table["secant_max"] >= table["secant_0.001"]).all()
    assert set(table["status"]) == {"done"}
    assert (table["steps"] == 6).all()
    assert table["fid"].gt(0).all()
    assert table["fid_gap"].to_numpy() == pytest.approx((table["fid"] - table["fid_best"]).to_numpy())


def test_the_page_needs_no_network_and_every_picture_has_a_text(results: Path) -> None:
    page = Page(running.report(results).page)
    assert page.open == []
    assert page.sources
    links = [source for source in page.sources if not source.startswith("data:")]
    assert all((results / "report" / link).is_file() for link in links)  # data and other formats, beside the page
    assert len(links) == 4 * 7
    assert len(page.alternatives) == 7 + 2
    assert all(page.alternatives)
    assert not re.search(r"https?://", re.sub(r"data:[^\"]+", "", page.text))


def test_figures_and_summaries_lie_beside_the_page(results: Path, tmp_path: Path) -> None:
    running.report(results, tmp_path / "elsewhere")
    figures = list((tmp_path / "elsewhere" / "figures").iterdir())
    names = {re.sub("-digits.*", "", path.name) for path in figures}
    curves, ends = (
        {"fid-steps", "fid-seconds", "gradient-norms"},
        {"fid-final", "secants", "cost", "frontier", "samples"},
    )
    assert names == curves | ends
    assert sorted(path.suffix for path in figures) == [".csv"] * 8 + [".pdf"] * 8 + [".png"] * 8 + [".svg"] * 8
    tables = sorted((tmp_path / "elsewhere" / "tables").iterdir())
    assert [path.suffix for path in tables] == [".csv", ".md", ".tex"] * 3
    assert [list(pd.read_csv(path)["n"]) for path in tables if path.suffix == ".csv"] == [[2, 2]] * 3


def test_runs_parquet_is_runs_csv_with_its_types(results: Path) -> None:
    report = running.report(results)
    table = pd.read_parquet(results / "report" / "runs.parquet")
    pd.testing.assert_frame_equal(table, report.runs)
    kinds = {str(table[name].dtype) for name in ("fid", "seed", "features", "method")}
    assert kinds == {"float64", "Int64", "string"}


def test_protocols_never_share_a_table(make_run: MakeRun, results: Path) -> None:
    make_run("gn", finished=True, train__steps=3)
    report = running.report(results)
    assert [len(summary) for _, summary in report.summaries] in ([2, 1], [1, 2])


def test_runs_that_are_not_done_are_named_with_their_reason_and_kept_out_of_means(
    make_run: MakeRun, results: Path
) -> None:
    make_run("sn").record_failure("error", "<no> luck")
    page = running.report(results).page.read_text()
    assert "failed at step 0: &lt;no&gt; luck" in page


def test_half_a_run_folder_is_reported_as_interrupted(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("gn")
    report = running.report(tmp_path / "results")
    assert list(report.runs["status"]) == ["interrupted"]
    assert "No run has been evaluated yet" in report.page.read_text()


def test_two_versions_of_ones_own_method_are_told_apart(make_run: MakeRun, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    for number in (1, 2):
        head = '"""Mine."""\nfrom lipbench import Method\nclass Mine(Method):\n    control = True\n'
        path.write_text(f"{head}    n: int = {number}\n")
        make_run(str(path), finished=True)
    methods = set(running.report(tmp_path / "results").runs["method"])
    assert len(methods) == 2
    assert all(re.fullmatch(r"mine@[0-9a-f]{6}", method) for method in methods)


def test_of_one_seed_nothing_is_claimed(make_run: MakeRun, tmp_path: Path) -> None:
    for method in ("gn", "wc"):
        make_run(method, finished=True)
    report = running.report(tmp_path / "results", baseline="wc")
    (section,) = report.sections
    assert not section.shown["FID"].str.contains("±").any()
    assert section.compared is not None
    assert list(section.compared["verdict"]) == ["cannot tell with 1 seed"]
    assert "with one seed there is no interval" in " ".join(report.page.read_text().split())


def test_where_every_run_diverged_the_page_says_so_and_ranks_nobody(tmp_path: Path) -> None:
    rows = [f"{method},{data},{seed},mine,,diverged" for method in "ab" for data in "def" for seed in range(3)]
    (tmp_path / "runs.csv").write_text("\n".join(["method,dataset,seed,protocol,fid,status", *rows]))
    report = running.report(tmp_path, tmp_path / "out", baseline="a", add=tmp_path / "runs.csv")
    page = " ".join(report.page.read_text().split())
    assert "18 runs of 2 methods in 3 comparisons: 0 finished, 18 diverged. Nothing can be compared with a yet." in page
    assert page.count("No run has been evaluated yet") == 3
    assert [list(section.summary["diverged"]) for section in report.sections] == [["3", "3"]] * 3
    assert report.across == []


def test_the_page_says_how_to_make_it_again(results: Path, tmp_path: Path) -> None:
    page = running.report(results, tmp_path / "out", baseline="gn").page.read_text()
    assert f"<code>lipbench report --results {results} --baseline gn</code>" in page


def test_samples_of_all_methods_are_of_one_seed(results: Path) -> None:
    page = running.report(results).page.read_text()
    assert re.findall(r"(gn|wc), seed (\d), step 6", page) == [("gn", "0"), ("wc", "0")]


def comparison_id(results: Path) -> str:
    folder = RunFolder(next((results / "runs").iterdir()))
    return cells.parse(folder.cell_text(), "x").comparison_id


@pytest.mark.parametrize(
    ("score", "sentence"),
    [
        (
            "9.4",
            "has FID 4.8 and Inception Score 9.40 (719 against as many), noise has FID 5 and Inception Score 9.40.",
        ),
        ("null", "has FID 4.8 (719 against as many), noise has FID 5. FID falls"),
    ],
)
def test_yardsticks_are_shown(results: Path, score: str, sentence: str) -> None:
    numbers = f'{{"fid": 4.8, "inception_score": {score}, "samples": 719}}'
    (results / "yardsticks").mkdir(exist_ok=True)
    (results / "yardsticks" / f"{comparison_id(results)}.json").write_text(f'{{"real": {numbers}, "noise": {numbers}}}')
    report = running.report(results)
    assert sentence in " ".join(report.page.read_text().split())
    assert report.problems == []


def test_what_an_extractor_cannot_say_is_said(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("gn", finished=True)
    result = folder.read_json("result.json") or {}
    folder.write_json("result.json", result | {"features": 2048, "inception_score": None})
    report = running.report(tmp_path / "results")
    assert list(report.runs["features"]) == [2048]
    (table,) = (report.page.parent / "tables").glob("summary-*.md")
    for text in (report.page.read_text().replace("&#39;", "'"), table.read_text()):
        assert "FID of 64 pictures from 2,048 features is unstable: compare KID, or evaluate more pictures." in text
        assert "No Inception Score: the extractor's weights have no last layer." in text
    assert "| Inception Score |" not in table.read_text()
    assert "<th>Inception Score</th>" not in report.page.read_text()


def test_enough_pictures_need_no_warning(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("gn", finished=True)
    folder.write_json("result.json", (folder.read_json("result.json") or {}) | {"features": 64})
    assert "unstable" not in running.report(tmp_path / "results").page.read_text()


def test_the_same_runs_give_the_same_bytes(results: Path, tmp_path: Path) -> None:
    for out in ("once", "again"):
        running.report(results, tmp_path / out)
    for path in (tmp_path / "once").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(tmp_path / "once")).read_bytes(), path.name


def test_no_readable_run_is_an_error_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with pytest.raises(StoreError, match="run some first: lipbench run"):
        running.report(tmp_path)


def test_a_report_folder_that_cannot_be_made_is_refused(results: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="choose one by --out"):
        running.report(results, tmp_path / "file" / "out")
