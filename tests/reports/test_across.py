"""The tables and figures over several data sets."""

from pathlib import Path

import pandas as pd
import pytest

from lipbench.api import running

HEADER = "method,dataset,seed,protocol,status,fid,fid_real,fid_noise"


def added(tmp_path: Path, datasets: int = 6, *, methods: str = "abcd", anchors: str = "2,900", seeds: int = 3) -> Path:
    rows = [
        f"{method},data{data},{seed},mine,done,{10 * (place + 1) + data + seed / 10},{anchors}"
        for place, method in enumerate(methods)
        for data in range(datasets)
        for seed in range(seeds)
    ]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join([HEADER, *rows]))
    return path


def test_methods_stand_in_the_order_of_their_ranks_with_intervals(tmp_path: Path) -> None:
    (over,) = running.report(tmp_path, tmp_path / "out", baseline="b", add=added(tmp_path)).across
    table = over.overview
    assert list(table["method"]) == list("abcd")
    assert list(table["mean rank"]) == ["1.00", "2.00", "3.00", "4.00"]
    assert list(table["P(better than b)"]) == ["1.00 [1.00, 1.00]", "–", "0.00 [0.00, 0.00]", "0.00 [0.00, 0.00]"]
    assert table["IQM of scores"].str.fullmatch(r"0\.\d\d \[0\.\d\d, 0\.\d\d\]").all()
    assert over.improvement.set_index("method").loc["a", "better than d"] == "1.00"
    assert [picture.name for picture in over.pictures] == ["score", "profile", "critical-difference"]
    assert "Friedman's test of equal ranks" in over.facts.caption


def test_every_figure_has_its_data_and_three_formats_beside_it(tmp_path: Path) -> None:
    (over,) = running.report(tmp_path, tmp_path / "out", add=added(tmp_path)).across
    for picture in over.pictures:
        for path in picture.files.values():
            assert (tmp_path / "out" / path).stat().st_size > 0
    ranks = pd.read_csv(over.pictures[-1].file("csv"))
    assert list(ranks["mean_rank"]) == [1, 2, 3, 4]


def test_of_fewer_than_five_data_sets_there_is_no_test_of_ranks(tmp_path: Path) -> None:
    (over,) = running.report(tmp_path, tmp_path / "out", add=added(tmp_path, 4)).across
    assert [picture.name for picture in over.pictures] == ["score", "profile"]
    assert "No test of ranks: it needs at least 5 data sets and three methods." in over.facts.caption


def test_without_yardsticks_it_says_what_is_missing(tmp_path: Path) -> None:
    (over,) = running.report(tmp_path, tmp_path / "out", add=added(tmp_path, anchors=",")).across
    assert "IQM of scores" not in over.overview
    assert [picture.name for picture in over.pictures] == ["critical-difference"]
    assert "one of real samples above 0 (fid_real) and a larger one of noise (fid_noise)" in over.facts.caption


def test_diverged_runs_are_counted_and_spoil_what_they_must(tmp_path: Path) -> None:
    path = added(tmp_path)
    path.write_text(path.read_text() + "".join(f"\na,data{data},9,mine,diverged,,2,900" for data in range(6)))
    (over,) = running.report(tmp_path, tmp_path / "out", baseline="b", add=path).across
    first = over.overview.set_index("method").loc["a"]
    assert (first["runs"], first["diverged"]) == ("24", "6")
    assert first["P(better than b)"].startswith("0.75")


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds_have_what_they_can_carry(tmp_path: Path, seeds: int) -> None:
    (over,) = running.report(tmp_path, tmp_path / "out", add=added(tmp_path, seeds=seeds)).across
    assert over.overview["IQM of scores"].str.contains("[", regex=False).all() == (seeds > 1)


def test_the_page_and_the_terminal_say_why_there_is_no_ranking_over_all(tmp_path: Path) -> None:
    path = added(tmp_path)
    path.write_text(path.read_text() + "\na,data0,0,other,done,3,2,900")
    made = running.report(tmp_path, tmp_path / "out", add=path)
    assert made.refusal is not None
    assert made.refusal in made.page.read_text()


def test_a_score_that_reaches_diverged_runs_is_drawn_and_said(tmp_path: Path) -> None:
    path = added(tmp_path)
    path.write_text(path.read_text().replace("a,data0,0,mine,done", "a,data0,0,mine,diverged"))
    lost = "".join(f"\nd,data{data},{seed},mine,diverged,,2,900" for data in range(6) for seed in range(3, 9))
    path.write_text(path.read_text() + lost)
    (over,) = running.report(tmp_path, tmp_path / "out", add=path).across
    assert "d diverged; " in over.pictures[0].text
    assert "diverged" in over.overview.set_index("method").loc["d", "IQM of scores"]


def test_long_names_of_many_methods_are_all_readable(tmp_path: Path) -> None:
    rows = [
        f'"very-long-method-name-{method}-with-many-words[lambda=0.{method}]",{data},{seed},p,done,{method + 2},2,90'
        for method in range(30)
        for data in "abcde"
        for seed in range(2)
    ]
    (tmp_path / "runs.csv").write_text("\n".join([HEADER, *rows]))
    (over,) = running.report(tmp_path, tmp_path / "out", add=tmp_path / "runs.csv").across
    assert len(over.overview) == 30
