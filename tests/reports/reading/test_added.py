"""Tables of runs that were made elsewhere."""

from pathlib import Path

import pandas as pd
import pytest

from lipbench.api import running
from lipbench.errors import RequestError
from lipbench.reports.reading import frame
from lipbench.reports.reading.columns import NAMES

HEADER = "method,dataset,seed,protocol,fid"
GOOD = ["mine,cifar10,0,theirs,20.5", "mine,cifar10,1,theirs,21.5", "other,cifar10,0,theirs,30"]


def csv(tmp_path: Path, *lines: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    path = tmp_path / "theirs.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding=encoding)
    return path


def test_runs_from_elsewhere_need_five_columns_and_no_run_of_lipbench(tmp_path: Path) -> None:
    made = running.report(tmp_path, tmp_path / "out", baseline="other", add=csv(tmp_path, *GOOD))
    assert list(made.runs.columns) == NAMES
    assert list(made.runs["status"]) == ["done"] * 3
    (section,) = made.sections
    assert section.facts.title == "cifar10: protocol theirs"
    assert list(section.shown["method"]) == ["mine", "other"]
    assert section.shown["FID"].iloc[0] == "21.0 ± 6.4"


def test_a_report_of_its_own_table_is_the_same_report(results: Path, tmp_path: Path) -> None:
    once = running.report(results, tmp_path / "once")
    again = running.report(tmp_path / "nothing", tmp_path / "again", add=tmp_path / "once" / "runs.csv")
    pd.testing.assert_frame_equal(once.runs, again.runs)
    for (title, summary), (other, same) in zip(once.summaries, again.summaries, strict=True):
        assert title == other
        pd.testing.assert_frame_equal(summary, same)


def test_runs_that_are_known_already_count_once(results: Path, tmp_path: Path) -> None:
    once = running.report(results, tmp_path / "once")
    again = running.report(results, tmp_path / "again", add=[tmp_path / "once" / "runs.csv"])
    pd.testing.assert_frame_equal(once.runs, again.runs)
    assert again.problems == [f"{tmp_path / 'once' / 'runs.csv'}: 4 runs are known already and left out"]


def test_another_protocol_stands_in_another_table(results: Path, tmp_path: Path) -> None:
    made = running.report(results, tmp_path / "out", add=csv(tmp_path, *GOOD))
    assert len(made.sections) == 2
    assert made.refusal is not None
    assert "theirs" in made.refusal


def test_what_is_counted_otherwise_is_another_protocol(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,d,0,p,1,5000", "b,d,0,p,1,50000", "c,d,0,p,1,", header=HEADER + ",samples")
    assert len(running.report(tmp_path, tmp_path / "out", add=path).sections) == 3


def test_a_diverged_run_needs_no_number(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,d,0,p,,diverged", "a,d,1,p,2,done", "a,d,2,p,,failed", header=HEADER + ",status")
    (section,) = running.report(tmp_path, tmp_path / "out", add=path).sections
    assert section.summary.loc[0, ["n", "diverged", "unfinished"]].tolist() == ["1", "1", "1"]


def test_a_run_that_was_never_measured_belongs_to_the_protocol_of_the_rest(tmp_path: Path) -> None:
    header = HEADER + ",status,extractor,samples"
    path = csv(tmp_path, "a,x,0,p,5,done,inc,100", "a,x,1,p,,diverged,,", "b,x,0,p,6,done,inc,100", header=header)
    (section,) = running.report(tmp_path, tmp_path / "out", add=path).sections
    assert section.summary.set_index("method").loc["a", ["n", "diverged"]].tolist() == ["1", "1"]
    path = csv(tmp_path, "a,x,0,p,5,done,inc,100", "a,x,1,p,,diverged,,", "b,x,0,p,6,done,inc,9", header=header)
    with pytest.raises(RequestError, match=r"line 3 may be of 2 protocols of this table; fill in some of: .*samples"):
        frame.read(tmp_path, [path])


def test_an_id_of_another_run_hides_nothing(tmp_path: Path) -> None:
    first = csv(tmp_path, "1,a,x,0,p,5", "2,b,x,0,p,6", header="run_id," + HEADER)
    again = tmp_path / "again.csv"
    again.write_text("run_id," + HEADER + "\n1,c,x,0,p,1\n")
    with pytest.raises(RequestError, match="line 2: run_id 1 is also in runs that are there; leave run_id out"):
        frame.read(tmp_path, [first, again])


def test_comparisons_of_like_names_stay_apart(tmp_path: Path) -> None:
    lines = [f"{method},{data},0,p,1,{claim}" for method in "ab" for data in "xy" for claim in ("v 1", "v/1", "../v")]
    made = running.report(tmp_path, tmp_path / "out", add=csv(tmp_path, *lines, header=HEADER + ",comparison"))
    assert len(made.sections) == 6
    assert len(made.across) == 3


def test_columns_that_are_not_known_are_named_and_left_out(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,d,0,p,1,x", header=HEADER + ",colour")
    made = running.report(tmp_path, tmp_path / "out", add=path)
    assert f"{path}: unknown columns are left out: colour" in made.problems


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_heads_in_capitals_and_empty_columns_are_read(tmp_path: Path, encoding: str) -> None:
    lines = ["a,d,0,p,1,,3,,,", "b,d,0,p,2,,3,,"]
    path = csv(tmp_path, *lines, " , ", header="Method,DATASET,Seed,Protocol,FID,,FID Real,,", encoding=encoding)
    runs = frame.read(tmp_path, [path]).runs
    assert runs["fid"].tolist() == [1, 2]
    with pytest.raises(RequestError, match=r"line 2 has 'x' in a column without a name"):
        frame.read(tmp_path, [csv(tmp_path, "a,d,0,p,1,x,2", header="method,dataset,seed,protocol,fid,,kid")])


def rows(more: str = "") -> list[str]:
    """Two methods whose differences are far smaller than the spread of either."""
    return [
        f"{method},d,{seed},p,{10 * seed + more_fid + 0.01 * seed * more_fid}{more}"
        for method, more_fid in (("a", 0), ("b", 1))
        for seed in range(1, 6)
    ]


def outcomes(path: Path, baseline: str, results: Path) -> dict[str, str]:
    (section,) = running.report(results, results / "out", baseline=baseline, add=path).sections
    assert section.compared is not None
    return {row["method"]: f"{row['test']}: {row['verdict']}" for row in section.compared.to_dict("records")}


def test_equal_seeds_of_other_code_are_pairs_only_where_the_table_says_so(tmp_path: Path) -> None:
    alone = outcomes(csv(tmp_path, *rows()), "a", tmp_path)
    assert alone["b"].startswith("Welch's t-test, not paired: cannot tell with 5 seeds")
    paired = outcomes(csv(tmp_path, *rows(",our streams"), header=HEADER + ",pairing"), "a", tmp_path)
    assert paired["b"] == "paired t-test: worse"


def test_added_runs_are_never_paired_with_those_of_lipbench(results: Path, tmp_path: Path) -> None:
    own = running.report(results, tmp_path / "once").runs.iloc[0]
    lines = [f"theirs,digits,{seed},digits,{seed},{own['comparison']},theirs" for seed in (0, 1)]
    path = csv(tmp_path, *lines, header=HEADER + ",comparison,pairing")
    (section,) = running.report(results, tmp_path / "out", baseline="gn", add=path).sections
    assert section.compared is not None
    assert section.compared[["method", "seeds", "test"]].to_numpy().tolist() == [
        ["theirs", "2 / 2", "Welch's t-test, not paired"],
        ["wc", "2", "paired t-test"],
    ]


def test_a_table_that_lipbench_wrote_stays_paired_in_every_version(results: Path, tmp_path: Path) -> None:
    path = running.report(results, tmp_path / "once").page.with_name("runs.csv")
    assert outcomes(path, "gn", tmp_path / "a")["wc"].startswith("paired t-test")
    earlier = tmp_path / "earlier.csv"
    pd.read_csv(path).drop(columns=["pairing", "lipschitz_target"]).to_csv(earlier, index=False)
    assert outcomes(earlier, "gn", tmp_path / "b")["wc"].startswith("paired t-test")
    pd.read_csv(path).drop(columns=["pairing", "run_id"]).to_csv(earlier, index=False)
    assert outcomes(earlier, "gn", tmp_path / "c")["wc"].startswith("Welch's t-test")


def test_runs_from_elsewhere_stay_so_in_the_table_of_their_report(tmp_path: Path) -> None:
    first = running.report(tmp_path, tmp_path / "first", add=csv(tmp_path, *rows()))
    again = outcomes(first.page.with_name("runs.csv"), "a", tmp_path)
    assert again["b"].startswith("Welch's t-test, not paired")


def test_of_runs_from_elsewhere_nothing_is_said_that_their_table_does_not_say(tmp_path: Path) -> None:
    made = running.report(tmp_path, tmp_path / "out", baseline="a", add=csv(tmp_path, *rows()))
    (section,) = made.sections
    assert section.facts.conditions == [f"protocol id {made.runs['comparison'].iloc[0]}"]
    assert section.facts.warnings == []
    page = " ".join(made.page.read_text().split())
    assert "10 of these runs were made elsewhere: nothing is known of them but what their table says." in page
    for claim in ("not known", "unknown", "same networks", "torch-fidelity", "last layer", "averaged"):
        assert claim not in page
    more = csv(tmp_path, "a,d,0,p,1,50000,test,7", header=HEADER + ",samples,split,steps")
    (section,) = running.report(tmp_path, tmp_path / "out", add=more).sections
    assert section.facts.conditions[:2] == ["7 steps", "50000 generated pictures against the test split"]


def test_what_spreadsheets_write_is_read(tmp_path: Path) -> None:
    path = csv(tmp_path, " a , d ,0.0,p,1e1", ",,,,", header=HEADER, encoding="utf-8-sig")
    runs = frame.read(tmp_path, [path]).runs
    assert (runs["method"].iloc[0], runs["seed"].iloc[0], runs["fid"].iloc[0], len(runs)) == ("a", 0, 10.0, 1)


@pytest.mark.parametrize(
    ("lines", "header", "message"),
    [
        (["a,0,1"], "method,seed,fid", "lacks the columns dataset, protocol; it has: method, seed, fid"),
        (["a,d,0,p"], "method,dataset,seed,protocol", "lacks the columns fid or sample_w1 or cos"),
        (["a;d;0;p;1"], HEADER.replace(",", ";"), "Is it separated by commas?"),
        (["a,d,0,p,1,2"], HEADER + ",fid", "has the columns fid more than once"),
        ([], HEADER, "has a header and no runs"),
        (["a,d,0,p,good"], HEADER, "line 2: fid is 'good', expected a number, or nothing where it is not known"),
        (["a,d,0,p,nan"], HEADER, "line 2: fid is 'nan', expected a number"),
        (["a,d,0,p,inf"], HEADER, "line 2: fid is 'inf', expected a number"),
        (["a,d,0,p,-1"], HEADER, "line 2: fid is -1, expected at least 0"),
        (["a,d,x,p,1"], HEADER, "line 2: seed is 'x', expected a whole number"),
        (["a,d,0.5,p,1"], HEADER, "line 2: seed is '0.5', expected a whole number"),
        (["a,d,1e300,p,1"], HEADER, "line 2: seed is '1e300', expected a whole number"),
        (["a,d,0,,1"], HEADER, "line 2: protocol is empty; every run needs method, dataset, seed, protocol"),
        (["a,d,0,p,"], HEADER, "line 2: fid and sample_w1 and cos are empty; a run without either has status diverged"),
        (["a,d,0,p,1", "a,d,0,p"], HEADER, "line 3 has 4 cells, expected 5 as in the header"),
        (["a,d,0,p,1,won"], HEADER + ",status", "line 2: status is 'won', expected one of: done, diverged"),
        (["a,d,0,p,1", "a,d,0,p,2"], HEADER, "line 3: a on d with seed 0 is also in line 2; give the method another"),
        (["a,d,0,p,1,c,5", "b,d,0,p,2,c,9"], HEADER + ",comparison,samples", "samples differs within comparison c: 5 "),
        (["a,d,0,p,1e300"], HEADER, "line 2: fid is 1e300, expected at most 1e+15 (the run diverged?)"),
        (["a,d,0,p,1,5"], HEADER + ",cos", "line 2: cos is 5, expected from -1 to 1"),
        (['"a\nb",d,0,p,1'], HEADER, "line 3: method is 'a\\nb', expected text on one line"),
        (["a,d,0,p,1,2", "b,d,0,p,1,3"], HEADER + ",fid_real", "fid_real differs within comparison"),
        (["a,d,x,p,1"] * 8, HEADER, "; and 3 more"),
        (["a,d,0,p,1,no"], HEADER + ",pairing", "line 2: pairing is 'no', expected a name that runs share which are"),
        (["a,d,0,p,1,lipbench"], HEADER + ",pairing", "pairing is 'lipbench', but the run_id is none of lipbench"),
        (['a,d,0,p,"1'], HEADER, "not a CSV file in UTF-8"),
    ],
)
def test_what_is_wrong_is_said_with_line_value_and_what_was_expected(
    lines: list[str], header: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(RequestError) as caught:
        frame.read(tmp_path, [csv(tmp_path, *lines, header=header)])
    assert message in str(caught.value)


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"missing.csv' cannot be added: No such file"):
        frame.read(tmp_path, [tmp_path / "missing.csv"])
    with pytest.raises(RequestError, match="is a folder; expected a file"):
        frame.read(tmp_path, [tmp_path])
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(RequestError, match="not a CSV file in UTF-8"):
        frame.read(tmp_path, [tmp_path / "binary.csv"])
    (tmp_path / "empty.csv").touch()
    with pytest.raises(RequestError, match="it has: none"):
        frame.read(tmp_path, [tmp_path / "empty.csv"])


def test_a_claim_on_a_protocol_that_is_not_theirs_is_refused(results: Path, tmp_path: Path) -> None:
    own = running.report(results, tmp_path / "once").runs.iloc[0]
    path = csv(tmp_path, f"z,digits,0,digits,1,{own['comparison']},3", header=HEADER + ",comparison,samples")
    with pytest.raises(RequestError, match=r"samples differs within .*: 3 \(line 2\), 64 \(runs that are there"):
        frame.read(results, [path])


def test_the_same_method_and_seed_from_elsewhere_needs_another_name(results: Path, tmp_path: Path) -> None:
    own = running.report(results, tmp_path / "once").runs.iloc[0]
    path = csv(tmp_path, f"gn,digits,0,digits,1,{own['comparison']}", header=HEADER + ",comparison")
    with pytest.raises(RequestError, match="gn on digits with seed 0 is also in runs that are there"):
        frame.read(results, [path])
