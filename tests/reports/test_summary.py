"""The report in two sentences."""

import pandas as pd
import pytest

from lipbench.reports.standing import untrained
from lipbench.reports.summary import in_words
from tests.reports import builder


def told(*rows: tuple[str, int, float | None] | tuple[str, int, float | None, str], **shared: object) -> str:
    return in_words(table(*rows, **shared), [], None).partition(". ")[2]


def table(*rows: tuple[str, int, float | None] | tuple[str, int, float | None, str], **shared: object) -> pd.DataFrame:
    names = ["method", "seed", "fid", "status"]
    return builder.table([dict(zip(names, row, strict=False)) for row in rows], **shared)


TESTED = "; whether methods differ is tested against a --baseline."
TWO = [("gp", 0, 3.0), ("gp", 1, 4.0), ("wc", 0, 9.0), ("wc", 1, 9.5)]


def test_it_counts_runs_methods_and_comparisons() -> None:
    runs = table(*TWO, ("sn", 0, None, "interrupted"), ("sn", 1, None, "failed"), ("none", 0, None, "diverged"))
    assert in_words(runs, [], None).startswith(
        "7 runs of 4 methods in 0 comparisons: 4 finished, 1 diverged, 2 unfinished. "
    )


def test_it_names_the_best_mean_without_claiming_more() -> None:
    assert told(*TWO) == f"The lowest mean FID is that of gp, 3.5 ± 6.4 (n = 2){TESTED}"


def test_a_mean_of_one_run_is_called_so() -> None:
    assert told(("gp", 0, 3.0), *TWO[2:]) == f"The lowest mean FID is that of gp, 3.00 (a single run){TESTED}"


def test_who_leads_with_lost_runs_is_said_to_and_the_best_without_stands_beside_it() -> None:
    lost = [("gp", 2, None, "diverged"), ("gp", 3, None, "running")]
    assert told(*TWO, *lost) == (
        "The lowest mean FID is that of gp, 3.5 ± 6.4 (n = 2, 1 diverged, 1 unfinished), "
        f"and among methods without such runs that of wc, 9.2 ± 3.2 (n = 2){TESTED}"
    )


def test_equal_means_share_the_lead() -> None:
    assert "is that of gp, 9.00 (a single run) and of wc, 9.00 (a single run)" in told(("gp", 0, 9.0), ("wc", 0, 9.0))


def test_who_is_no_better_than_noise_is_untrained_and_leads_nothing() -> None:
    assert told(("gp", 0, 800.0), ("wc", 0, 900.0), fid_noise=700.0) == (
        f"No mean FID is better than that of noise{TESTED} Untrained, no better than noise: gp, wc."
    )
    assert told(("gp", 0, 8.0), ("wc", 0, 900.0), fid_noise=700.0).endswith("Untrained, no better than noise: wc.")
    assert "Untrained" not in told(("gp", 0, 800.0))
    assert untrained(table(("gp", 0, 800.0), fid_noise=700.0)) == (
        "Untrained: the mean FID of gp is no better than that of noise, 700."
    )


def test_a_cosine_is_measured_against_a_random_direction() -> None:
    runs = table(("gp", 0, None), ("wc", 0, None)).assign(cos=[0.5, -0.1])
    assert in_words(runs, [], None).partition(". ")[2] == (
        f"The highest mean cos is that of gp, 0.500 (a single run){TESTED} Untrained, no better than noise: wc."
    )


def test_several_comparisons_count_their_leaders_and_what_weakens_them() -> None:
    first = table(*TWO, ("gp", 2, None, "diverged"), dataset="a")
    second = table(("gp", 0, 3.0), *TWO[2:], dataset="b", fid_noise=700.0)
    third = table(("gp", 0, 800.0), ("wc", 0, 900.0), dataset="c", fid_noise=700.0)
    runs = pd.concat([first, second, third], ignore_index=True)
    assert in_words(runs, [], None).partition(". ")[2] == (
        "In 3 comparisons the lowest mean FID is that of gp (2, 1 by a single run, 1 with runs that diverged); "
        f"no mean FID is better than that of noise (1){TESTED} "
        "Untrained, no better than noise: gp (1 of 3), wc (1 of 3)."
    )


@pytest.mark.parametrize("status", ["interrupted", "diverged"])
def test_nothing_finished_is_said(status: str) -> None:
    assert told(("gp", 0, None, status)) == "Nothing has been measured to the end yet."
