"""Modes that others reported, beside ours."""

from lipbench.reports.published import reported
from lipbench.reports.published_modes import table
from lipbench.reports.statistics.intervals import UNKNOWN
from tests.reports.builder import table as runs_of

RUNS = [
    {
        "method": method,
        "dataset": "ring",
        "seed": seed,
        "modes_covered": 8.0 - seed,
        "modes_kl": 0.1,
        "high_quality": 0.9,
    }
    for method in ("none", "gp", "gp[weight=0.1]")
    for seed in (0, 1)
]


def test_a_gan_without_a_constraint_stands_beside_theirs_and_all_other_rows_follow() -> None:
    found = table(runs_of(RUNS))
    assert found is not None
    by_method = found.set_index("method")
    none = by_method.loc["none"]
    assert none["modes"].startswith("7.5 ±")
    assert none["reported as"] == "GAN, Lin et al. 2018, arXiv:1712.04086, table 1"
    assert none[["their modes", "their high quality", "their modes KL"]].tolist() == [
        "6.3 ± 0.5", "0.982 ± 0.002", "0.45 ± 0.09"
    ]  # fmt: skip
    assert "radius 1, std .01" in none["differs in"]
    assert by_method.loc["gp", "reported as"] == UNKNOWN
    theirs = reported("modes")
    assert len(found) == 3 + len(theirs[theirs["dataset"] == "ring"]) - 1


def test_the_numbers_of_the_papers_are_there() -> None:
    known = reported("modes").set_index(["dataset", "label", "source"])["modes"]
    pac, vee = "Lin et al. 2018, arXiv:1712.04086, table {}", "Srivastava et al. 2017, arXiv:1705.07761, table {}"
    assert known["grid", "GAN", pac.format(1)] == 17.3
    assert known["grid", "PacGAN2", pac.format(1)] == 23.8
    assert known["stacked-digits", "PacDCGAN2", pac.format(2)] == 1000
    assert known["stacked-digits", "VEEGAN", vee.format(2)] == 150
    assert known["ring", "VEEGAN", vee.format(1)] == 8


def test_data_of_another_shape_and_runs_without_modes_have_nothing_beside_them() -> None:
    assert table(runs_of([{**run, "dataset": "ring[modes=12]"} for run in RUNS])) is None
    assert table(runs_of([{"method": "none", "dataset": "ring"}])) is None
