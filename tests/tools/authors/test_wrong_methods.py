"""Methods that break a rule are found out, each by the check for it; the built-in ones keep all."""

from pathlib import Path

import pytest

from lipbench.tools.authors.examine import CHECKS, FIRST, examine
from lipbench.tools.authors.finding import PASSED, Examined
from tests.methods import mutants
from tests.tools.authors.wrong import WRONG, text

SMALL = {"architecture": "cnn-8[width=2]", "train.batch_size": 8, "train.generator_batch_size": 8}


def examined(method: str, *checks: str) -> Examined:
    chosen = {name: check for name, check in CHECKS.items() if name in checks}
    return examine(method, steps=2, overrides=SMALL, checks=chosen)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_method_fails_the_check_for_it_and_is_told_the_cure(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "mine.py").write_text(text(wrong))
    check = WRONG[wrong][0]
    found = examined(str(tmp_path / "mine.py"), check)
    assert [(finding.check, bool(finding.cure)) for finding in found.failed] == [(check, True)], found.findings


@pytest.mark.parametrize("name", ["gp", "wc"])
def test_a_built_in_method_that_no_longer_does_its_work_is_not_accepted(tmp_path: Path, name: str) -> None:
    path = next(mutants.broken(name)).write(tmp_path).path
    found = examined(str(path), *CHECKS)
    assert [finding.check for finding in found.failed] == [FIRST]
    assert {finding.seen for finding in found.findings[1:]} == {"not tried, as the method is not accepted"}


def test_a_misspelt_hook_is_a_failure_of_the_method_and_not_of_the_request(tmp_path: Path) -> None:
    path = next(iter(mutants.misspelt("gp"))).write(tmp_path).path
    (finding,) = examined(str(path), FIRST).failed
    assert (finding.check, "is no hook of a method" in finding.seen) == (FIRST, True)


@pytest.mark.parametrize("name", ["sn", "gn"])
def test_a_built_in_method_fails_no_check(name: str) -> None:
    found = examined(name, "sample by sample", "resuming", "dead critic", "guarantee")
    assert [finding.outcome for finding in found.findings] == 4 * [PASSED], found.failed


def test_a_method_that_refuses_convolutions_is_checked_on_linear_layers() -> None:
    checks = {name: CHECKS[name] for name in (FIRST, "shared streams")}
    found = examine("ortho", overrides={"train.batch_size": 8}, checks=checks)
    if "Conv2d" in found.note:
        assert found.architecture == "mlp"
    assert [finding.outcome for finding in found.findings] == [PASSED, PASSED]
