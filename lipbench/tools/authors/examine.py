"""Examines a method: the checks one after the other, each with what it saw, on networks that are quick to train."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from lipbench.disk import places
from lipbench.errors import PluginError, RequestError
from lipbench.interfaces.method import Method
from lipbench.launch.listener import Listener
from lipbench.plugins import registry
from lipbench.plugins.kinds import METHOD
from lipbench.plugins.part import Part
from lipbench.request.cell import Cell
from lipbench.request.plan import Planned, plan
from lipbench.tools.authors import contract, extremes, promise, repeating
from lipbench.tools.authors.finding import FAILED, NOT_APPLICABLE, PASSED, Examined, Failed, Finding, NotApplicable
from lipbench.tools.authors.subject import Subject
from lipbench.train.streams import kept
from lipbench.work.parts import load_pictures
from lipbench.work.rehearse import threads
from lipbench.work.stages import Stages, staying

Seen = tuple[str, Mapping[str, float | None]]
Check = Callable[[Subject], str | Seen]

FIRST = "accepted"
CHECKS: dict[str, Check] = {
    FIRST: contract.accepted,
    "sample by sample": contract.sample_by_sample,
    "nothing in place": contract.leaves_alone,
    "not the control": repeating.is_no_control,
    "random numbers": repeating.draws_by_seed,
    "shared streams": repeating.shares_streams,
    "resuming": repeating.resumes,
    "dead critic": extremes.survives_a_dead_critic,
    "huge and tiny": extremes.survives_sizes,
    "batch of one": extremes.survives_one_sample,
    "bfloat16": extremes.survives_half_precision,
    "guarantee": promise.keeps_its_promise,
}
SECONDS = 25.0  # of the training after which the guarantee is measured, at most
OTHER = "mlp"  # networks for a method that refuses the protocol's own


def examine(
    method: str | Method,
    *,
    datasets: Any = None,
    protocol: str = "digits",
    overrides: Mapping[str, Any] | None = None,
    steps: int = 300,
    listener: Listener | None = None,
    checks: Mapping[str, Check] = CHECKS,
) -> Examined:
    """Check a method, on the CPU.

    Args:
        method: a name or a path, with parameters or without; or an instance.
        datasets: as of `plan`; one.
        protocol: that trains a generator against a critic.
        overrides: settings of the protocol by dotted key. Where none names networks and the method refuses the
            protocol's own, it is checked with others.
        steps: of the training after which the guarantee is measured.
        listener: is told which check is made.
        checks: by their names.

    Raises:
        RequestError: the request is wrong, other than by what the method does.
    """
    begun = time.monotonic()
    given, told = dict(overrides or {}), listener or Listener()

    def of(cell: Cell, findings: list[Finding], note: str = "") -> Examined:
        networks, seconds = str(cell.architecture), time.monotonic() - begun
        return Examined(str(cell.method), networks, cell.protocol.name, str(cell.dataset), findings, seconds, note)

    try:
        planned = _planned(method, datasets, protocol, given)
    except PluginError as error:
        if not (isinstance(method, str) and _is_file(method)):
            raise
        cell = _planned("none", datasets, protocol, given).cell
        named = cell.model_copy(update={"methods": (Part(name=Path(method.partition("[")[0]).stem),)})
        return of(named, _refused(checks, *_parted(str(error))))
    with _subject(method, planned, steps, told) as subject:
        refusal = "" if "architecture" in given else _refusal(subject)
        if not refusal:
            return of(planned.cell, _found(subject, checks))
    other = _planned(method, datasets, protocol, given | {"architecture": OTHER})
    with _subject(method, other, steps, told) as subject:
        if not _refusal(subject):
            return of(other.cell, _found(subject, checks), f"{planned.cell.architecture} is refused: {refusal}")
    return of(planned.cell, _refused(checks, *_parted(refusal)))


def _is_file(text: str) -> bool:
    return places.exists(text.partition("[")[0]) and text.partition("[")[0].endswith(".py")


def _refused(checks: Mapping[str, Check], seen: str, cure: str) -> list[Finding]:
    rest = [Finding(name, NOT_APPLICABLE, "not tried, as the method is not accepted") for name in checks]
    return [Finding(FIRST, FAILED, seen, cure), *(finding for finding in rest if finding.check != FIRST)]


def _parted(message: str) -> tuple[str, str]:
    """What is wrong, and what was expected."""
    seen, expected, cure = message.partition("; expected ")
    return seen, f"expected {cure}" if expected else ""


def _planned(method: str | Method, datasets: Any, protocol: str, overrides: dict[str, Any]) -> Planned:
    found = plan(method if isinstance(method, str) else "none", datasets, [0], protocol, overrides)
    if len(found) != 1 or len(found[0].cell.methods) != 1:
        asked = ", ".join(f"{each.cell.method} on {each.cell.dataset}" for each in found)
        raise RequestError(f"{asked} are to be checked; expected one method, on one data set")
    cell = found[0].cell
    cell.adversarial  # noqa: B018 - refuses a protocol without pictures
    if isinstance(method, str):
        return found[0]
    named = cell.model_copy(update={"methods": (Part(name=type(method).__name__),)})
    return Planned(named, found[0].sources)


@contextmanager
def _subject(method: str | Method, planned: Planned, steps: int, listener: Listener) -> Iterator[Subject]:
    """The method, its user's own files copied for as long as it is examined, anew for each instance."""
    cell = planned.cell
    files: dict[Path, Path] = {}
    with TemporaryDirectory(prefix="lipbench-") as work, threads(cell.protocol.train.threads), staying(), kept():

        def copied() -> Callable[[str], Path]:
            folder = Path(mkdtemp(dir=work))
            for name, content in planned.contents().items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                files[path] = planned.sources[name]
            return folder.joinpath

        def make() -> Method:
            if isinstance(method, Method):
                return method
            made: Method = registry.create(METHOD, cell.methods[0], copied())
            return made

        locate = copied()
        stages = Stages(f"{cell.method} on {cell.dataset}", files, listener)
        pictures = load_pictures(cell.dataset, locate)
        yield Subject(make, cell, pictures, locate, stages, steps, SECONDS)


def _refusal(subject: Subject) -> str:
    """Why the method refuses these networks, on purpose; empty where it takes them, or fails."""
    try:
        subject.build()
    except RequestError as error:
        return str(error) if type(error) is RequestError and error.__cause__ is None else ""
    except Exception:  # a user's method may raise anything: the first check says what
        return ""
    return ""


def _found(subject: Subject, checks: Mapping[str, Check]) -> list[Finding]:
    findings: list[Finding] = []
    for name, check in checks.items():
        findings.append(_find(subject, name, check))
        if name == FIRST and findings[0].outcome == FAILED:
            return _refused(checks, findings[0].seen, findings[0].cure)
    return findings


def _find(subject: Subject, name: str, check: Check) -> Finding:
    try:
        with subject.stages.stage(f"checking {name!r}", "a method that runs there"):
            found = _outcome(subject, check)
    except RequestError as error:
        said = str(error).removeprefix(f"{subject.stages.subject} ").removeprefix(f"fails while checking {name!r}: ")
        return Finding(name, FAILED, *_parted(said))
    if isinstance(found, Failed):
        return Finding(name, FAILED, found.seen, found.cure, found.numbers)
    if isinstance(found, NotApplicable):
        return Finding(name, NOT_APPLICABLE, str(found))
    seen, numbers = (found, {}) if isinstance(found, str) else found
    return Finding(name, PASSED, seen, numbers=numbers)


def _outcome(subject: Subject, check: Check) -> str | Seen | Failed | NotApplicable:
    try:
        return check(subject)
    except (Failed, NotApplicable) as found:
        return found
