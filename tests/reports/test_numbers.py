"""Each number on the page of random runs is that which ``runs.csv`` gives, computed here without the report's code."""

import re
from collections import defaultdict
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from scipy import stats

from lipbench.api import running
from tests.reports import builder, random_runs

BASELINE = "gp"
MEASURES = {
    "FID": ("fid", 1), "best FID": ("fid_best", 1), "gap": ("fid_gap", 1), "KID": ("kid", 1),
    "Inception Score": ("inception_score", 1), "largest secant": ("secant_max", 1),
    "‖∇score‖ mean": ("grad_norm_mean", 1), "‖∇score‖ max": ("grad_norm_max", 1),
    "‖∇critic‖ max": ("raw_grad_norm_max", 1), "ms/step": ("seconds_per_step", 1000),
    "training s": ("seconds_train", 1),
}  # fmt: skip
LARGEST = {
    "‖∇score‖ max": "grad_norm_max", "secant at 1": "secant_1", "secant at 0.1": "secant_0.1",
    "secant at 0.01": "secant_0.01", "secant at 0.001": "secant_0.001", "‖∇critic‖ max": "raw_grad_norm_max",
    "critic's secant max": "raw_secant_max",
}  # fmt: skip


VOID = ("meta", "link", "img", "br", "input")


class Page(HTMLParser):
    """The tables of a page by the heading above them, its paragraphs, its lists and the texts of its pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.heading, self.in_head, self.head, self.cells, self.texts = "", False, [""], [""], [""]
        self.tables: dict[str, list[dict[str, str]]] = defaultdict(list)
        self.paragraphs: list[str] = []
        self.items: list[str] = []
        self.pictures: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.texts.append("")
        if tag == "tr":
            self.cells = []
        elif tag == "thead":
            self.in_head = True
        elif tag == "img":
            self.pictures.append(str(dict(attrs)["alt"]))

    def handle_data(self, data: str) -> None:
        self.texts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        text = self.texts.pop()
        if tag == "code":
            self.texts[-1] += text
        elif tag in ("h2", "h3", "summary"):
            self.heading = text
        elif tag in ("td", "th"):
            self.cells.append(text)
        elif tag == "thead":
            self.head, self.in_head = self.cells, False
        elif tag == "tr" and not self.in_head:
            self.tables[self.heading].append(dict(zip(self.head, self.cells, strict=True)))
        elif tag == "p":
            self.paragraphs.append(" ".join(text.split()))
        elif tag == "li":
            self.items.append(text)


class Made:
    """A report on random runs, and what it was made of."""

    def __init__(self, given: dict[str, Any], root: Path) -> None:
        self.given, self.out = given, root / "out"
        with pytest.MonkeyPatch.context() as patch:
            builder.leave_out_pictures(patch)
            report = running.report(
                root, self.out, baseline=BASELINE if given["against"] else None, add=random_runs.write(given, root)
            )
        self.page = Page(report.page.read_text(encoding="utf-8"))
        self.runs = pd.read_csv(self.out / "runs.csv")
        self.done = self.runs[self.runs["status"] == "done"]
        self.scored = self.done[self.done["fid"].notna()]
        costly = self.done[self.done["seconds_train"].notna()]
        self.one_device = costly["device"].nunique() < 2

    def of(self, runs: pd.DataFrame, method: str, column: str) -> np.ndarray:
        """The known values of a method's runs."""
        return runs.loc[runs["method"] == method, column].dropna().to_numpy(float)

    def data(self, figure: str) -> pd.DataFrame | None:
        """The numbers beside a figure."""
        found = list((self.out / "figures").glob(f"{figure}-digits-*.csv"))
        return pd.read_csv(found[0]) if found else None

    def trace(self, run: str) -> pd.DataFrame:
        """The evaluations of a run that have an FID."""
        made = next(made for place, made in self.given["runs"].items() if run == random_runs.run_id(place))
        return pd.DataFrame(made["trace"], columns=["step", "fid", "seconds_train"]).dropna()


def near(text: str, value: float) -> bool:
    """Whether a text is a number, rounded at its last digit or to three."""
    shown = float(text.replace(",", ""))
    return abs(shown - value) <= max(10.0 ** -len(text.partition(".")[2]) * 0.501, 1e-12 * abs(value))


def shows(text: str, values: np.ndarray) -> bool:
    """Whether a text is the mean of the values, with half of its interval if there are several."""
    if len(values) == 0:
        return text == "–"
    if len(values) == 1:
        return near(text, values[0])
    mean, half = text.split(" ± ")
    expected = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return near(mean, values.mean()) and near(half, expected)


# Nothing is made smaller after a failure, which would take minutes.
@settings(max_examples=15, phases=[Phase.generate])
@given(random_runs.sets())
def test_each_number_on_the_page_is_that_of_the_table_of_runs(given: dict[str, Any]) -> None:
    with TemporaryDirectory() as root:
        made = Made(given, Path(root))
        for check in (means, headline, equal_cost, promised, against, listed_runs, curves, texts):
            check(made)


def means(made: Made) -> None:
    title = next(name for name in made.page.tables if name.startswith("digits: protocol"))
    rows = made.page.tables[title]
    assert sorted(row["method"] for row in rows) == sorted(set(made.runs["method"]))
    fids = [made.of(made.done, row["method"], "fid") for row in rows]
    order = [values.mean() if len(values) else np.inf for values in fids]
    assert order == sorted(order)
    for row in rows:
        method = row.pop("method")
        status = made.runs.loc[made.runs["method"] == method, "status"]
        assert int(row.pop("n")) == (status == "done").sum()
        assert int(row.pop("diverged")) == (status == "diverged").sum()
        assert int(row.pop("unfinished")) == status.isin(["failed", "interrupted"]).sum()
        for name, text in row.items():
            column, scale = MEASURES[name]
            assert shows(text, scale * made.of(made.done, method, column)), (method, name, text)
    for name, (column, _) in MEASURES.items():
        assert (name in rows[0]) == made.done[column].notna().any(), name
    lost = made.runs[made.runs["status"] != "done"]
    assert sorted(item.split()[0] for item in made.page.items) == sorted(lost["run_id"])


def headline(made: Made) -> None:
    told = made.page.paragraphs[0]
    counts = {"finished": len(made.done), "diverged": (made.runs["status"] == "diverged").sum()}
    counts["unfinished"] = len(made.runs) - sum(counts.values())
    assert told.startswith(f"{len(made.runs)} run")
    for what, count in counts.items():
        assert (f"{count} {what}" in told.partition(". ")[0]) == (count > 0 or what == "finished"), told
    best = made.scored.groupby("method")["fid"].mean()
    noise = made.given["noise"] if made.given["runs"] else None
    trained = best if noise is None else best[best < noise]
    untrained = re.search(r"Untrained, no better than noise: (.*)\.$", told)
    assert set(untrained[1].split(", ") if untrained else []) == set(best.index) - set(trained.index)
    if made.given["against"]:
        return
    if best.empty:
        assert "Nothing has been measured to the end yet." in told
    elif trained.empty:
        assert "No mean FID is better than that of noise" in told
    else:
        found = re.search(r"The lowest mean FID is that of (\w+), ([^(]+) \(([^)]*)\)", told)
        assert found is not None and best[found[1]] == trained.min(), told
        assert shows(found[2], made.of(made.done, found[1], "fid"))
        status = made.runs.loc[made.runs["method"] == found[1], "status"]
        assert (f"{(status == 'diverged').sum()} diverged" in found[3]) == (status == "diverged").any()
        assert ("unfinished" in found[3]) == status.isin(["failed", "interrupted"]).any()
        assert ("a single run" in found[3]) == (len(made.of(made.done, found[1], "fid")) == 1)


def equal_cost(made: Made) -> None:
    rows = made.page.tables["At equal cost"]
    methods = sorted(set(made.scored["method"]))
    assert bool(rows) == (len(methods) > 1 and made.scored["steps"].notna().any())
    if not rows:
        return
    assert sorted(row["method"] for row in rows) == methods
    costs = pd.DataFrame({
        "quality": made.scored.groupby("method")["fid"].mean(),
        "seconds": made.scored.groupby("method")["seconds_train"].mean(),
        "memory": made.scored.groupby("method")["peak_memory_bytes"].mean() / 2**20
        * (np.nan if made.given["cpu"] else 1),
        "diverged": made.runs.groupby("method")["status"].apply(lambda status: (status == "diverged").sum()),
    }).loc[methods]  # fmt: skip
    budgets = {"steps": 6.0, "s": made.scored.groupby("method")["seconds_train"].max().min()}
    assert ("on the frontier of" in rows[0]) == made.one_device
    for row in rows:
        method = row["method"]
        own = made.scored[made.scored["method"] == method]
        assert (int(row["n"]), int(row["diverged"])) == (len(own), costs.loc[method, "diverged"])
        for name, text in row.items():
            at = re.fullmatch(r"FID at ([\d.,]+) (steps|s)", name)
            if at:
                assert abs(float(at[1].replace(",", "")) / budgets[at[2]] - 1) < 0.006, name
                axis = "step" if at[2] == "steps" else "seconds_train"
                traces = [made.trace(run) for run in own["run_id"] if run.startswith(("gn", "gp", "wc"))]
                inside = [trace[trace[axis] <= budgets[at[2]] * (1 + 1e-9)] for trace in traces]
                values = np.array([trace["fid"].iloc[-1] for trace in inside if len(trace)])
                mean, _, count = text.partition(" (of ")
                assert shows(mean, values), (method, name, text)
                assert (count == f"{len(values)})") == (0 < len(values) < len(own))
        if not made.one_device:
            assert not {"training s", "peak MiB"} & row.keys()
            continue
        for name, axis in (("training s", "seconds"), ("peak MiB", "memory")):
            if name in row and not np.isnan(costs.loc[method, axis]):
                assert float(row[name].replace(",", "")) == pytest.approx(costs.loc[method, axis], rel=0.006)
        assert ("peak MiB" in row) == costs["memory"].notna().any()
        mine, whole = costs.loc[method], costs[costs["diverged"] == 0]
        on = [
            axis
            for axis in ("seconds", "memory")
            if mine["diverged"] == 0 and mine[axis] == mine[axis] and not any(
                (other["quality"], other[axis]) != (mine["quality"], mine[axis])
                and other["quality"] <= mine["quality"] and other[axis] <= mine[axis]
                for _, other in whole.iterrows()
            )
        ]  # fmt: skip
        assert row["on the frontier of"] == (", ".join(on) or "–")


def promised(made: Made) -> None:
    rows = made.page.tables["Promised and measured"]
    examined = made.done[made.done[list(LARGEST.values())].notna().all(axis=1)]
    assert [row["method"] for row in rows] == sorted(set(examined["method"]))
    for row in rows:
        assert int(row["n"]) == (examined["method"] == row["method"]).sum()
        lost = made.runs[(made.runs["method"] == row["method"]) & (made.runs["status"] == "diverged")]
        assert int(row["diverged"]) == len(lost)
        assert shows(row["TV gap"], made.of(examined, row["method"], "tv_gap"))
        for name, column in LARGEST.items():
            largest = made.of(examined, row["method"], column).max()
            assert float(row[name].replace(",", "")) == pytest.approx(largest, rel=0.006), name


def against(made: Made) -> None:
    rows = made.page.tables["Against the baseline"]
    outcomes = {
        method: {
            run["seed"]: np.inf if run["status"] == "diverged" else run["fid"]
            for run in group.to_dict("records")
            if run["status"] == "diverged" or (run["status"] == "done" and run["fid"] == run["fid"])
        }
        for method, group in made.runs.groupby("method")
    }
    measured = made.runs["fid"].notna().any() and len(outcomes) > 1 and made.given["against"]
    assert bool(rows) == measured
    ours = [row for row in rows if row["method"] != "theirs"]  # how runs made elsewhere are compared is not told here
    p = {}
    for row in ours:
        mine, base = outcomes[row["method"]], outcomes[BASELINE]
        pairs = np.array([(mine[seed], base[seed]) for seed in sorted(mine.keys() & base.keys())]).reshape(-1, 2)
        finished = pairs[np.isfinite(pairs).all(axis=1)]
        assert int(row["seeds"]) == len(pairs)
        assert shows(row[f"FID − {BASELINE}'s"], finished[:, 0] - finished[:, 1])
        assert row["diverged"] == f"{np.isinf(pairs[:, 0]).sum()} / {np.isinf(pairs[:, 1]).sum()}"
        p[row["method"]] = two_sided(pairs)
    if len(ours) < len(rows):
        return
    order = sorted(p, key=lambda method: (np.isnan(p[method]), p[method]))
    steps = np.minimum(1, np.maximum.accumulate([(len(p) - place) * p[each] for place, each in enumerate(order)]))
    for row in ours:
        corrected = steps[order.index(row["method"])]
        assert row["p (Holm)"] == ("–" if np.isnan(corrected) else f"{corrected:.2g}")
        told = row["verdict"].startswith(("better", "worse"))
        assert not told or (int(row["seeds"]) >= 3 and corrected < 0.05)


def two_sided(pairs: np.ndarray) -> float:
    """The p of the t-test where all finished, else by trying every pattern of signs of the ranks."""
    if len(pairs) < 2:
        return np.nan
    if np.isfinite(pairs).all() and np.ptp(pairs[:, 0] - pairs[:, 1]) > 1e-9:
        return float(stats.ttest_rel(*pairs.T).pvalue)
    equal = pairs[:, 0] == pairs[:, 1]
    differences = pairs[~equal, 0] - pairs[~equal, 1]
    ranks = stats.rankdata(np.abs(differences) if np.isinf(pairs).any() else np.ones(len(differences)))
    sums = [np.dot(ranks, signs) for signs in product([-1, 1], repeat=len(ranks))]
    return float(np.mean(np.abs(sums) >= abs(np.dot(ranks, np.sign(differences))) - 1e-9))


def listed_runs(made: Made) -> None:
    rows = made.page.tables["All runs"]
    table = made.runs.set_index("run_id", drop=False)
    assert sorted(row["run_id"] for row in rows) == sorted(table.index)
    for row in rows:
        for name, text in row.items():
            value = table.loc[row["run_id"], name]
            if isinstance(value, str):
                assert text == value
            else:
                assert (text == "") == bool(np.isnan(value)), name
                assert text == "" or float(text) == pytest.approx(value, rel=6e-4), name


def curves(made: Made) -> None:
    for name, axis in (("fid-steps", "step"), ("fid-seconds", "seconds_train")):
        drawn = made.data(name)
        if drawn is None:
            continue
        assert axis == "step" or made.one_device
        whole = drawn[drawn["run_id"].isna()]
        own = made.scored[made.scored["method"] != "theirs"]
        assert set(whole["method"]) == set(own["method"])
        for method, line in whole.groupby("method"):
            runs = [made.trace(run) for run in own.loc[own["method"] == method, "run_id"]]
            values = np.array([np.interp(line["x"], run[axis], run["fid"]) for run in runs])
            assert line["mean"].to_numpy() == pytest.approx(values.mean(axis=0))
            assert line["low"].to_numpy() == pytest.approx(values.min(axis=0))
            assert line["high"].to_numpy() == pytest.approx(values.max(axis=0))
            assert line["x"].min() == max(run[axis].min() for run in runs)
            assert line["mean"].iloc[-1] == pytest.approx(made.of(made.done, str(method), "fid").mean())
            assert set(line["n"]) == {len(runs)}
        for run, line in drawn.dropna(subset=["run_id"]).groupby("run_id"):
            assert table_status(made, str(run)) != "done"
            assert line[["x", "mean"]].to_numpy() == pytest.approx(made.trace(str(run))[[axis, "fid"]].to_numpy())


def table_status(made: Made, run: str) -> str:
    return str(made.runs.set_index("run_id").loc[run, "status"])


def texts(made: Made) -> None:
    """What stands under figures."""
    for text in made.page.pictures:
        for words, column, scale in (
            ("at the end: ", "fid", 1), ("; means: ", "fid", 1), ("milliseconds a step: ", "seconds_per_step", 1000),
        ):  # fmt: skip
            listed = re.search(words + r"(.*?)(?:\. |\.$)", text)
            for method, number in re.findall(
                r"(\w+) (\d+(?:\.\d+)?)", re.sub(r"\(.*?\)", "", listed[1]) if listed else ""
            ):
                values = scale * made.of(made.done, method, column)
                assert near(number, values.mean()), text
        lost = re.search(r"Runs that are in no mean, (.*)\.$", text)
        counts = [int(number) for number in re.findall(r" (\d+)", lost[1])] if lost else []
        assert sum(counts) == len(made.runs) - len(made.done), text
