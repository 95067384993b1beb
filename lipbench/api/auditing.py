"""`audit`: how steep a critic is, anyone's, without training it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipbench.api import arguments as asked
from lipbench.disk import places
from lipbench.disk.results import find_run
from lipbench.errors import RequestError, StoreError
from lipbench.plugins import registry
from lipbench.plugins.kinds import ARCHITECTURE
from lipbench.plugins.names import unquoted

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lipbench.tools.audit import Subject

COUNT = 100  # points at each place


@asked.checked
def audit(
    subject: "nn.Module | str | Path",
    points: "Tensor | int" = COUNT,
    *,
    score: str | None = None,
    data: str | Path | None = None,
    shape: str | int | Sequence[int] | None = None,
    weights: str | Path | None = None,
    seed: int = 0,
    device: str = "auto",
    data_root: str | Path | None = None,
    results: str | Path = "results",
    page: str | Path | None = None,
) -> dict[str, Any]:
    """Say how steep a critic is: the steepest secant found, and a Lipschitz bound proven; nothing is trained.

    Args:
        subject: a module, which is left as it is; a function or class in a file, ``"./critic.py:make"``; a shared
            network, ``"cnn-32"``; or a run (an id, the beginning of one, or a folder).
        points: real points, (n, c, h, w) or (n, dim), of a module; else how many to take at each place.
        score: a method whose score is put around the critic, such as ``"gn"``; a run has its own.
        data: where real points come from, such as ``"cifar10"``; noise alone if None.
        shape: of a point where there is no data, such as ``(3, 32, 32)``; a usual one that the critic takes if None.
        weights: a file with a state_dict of the critic.
        seed: of points that are drawn, and of weights that are not given.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, …
        data_root: where published data sets are; ``$LIPBENCH_DATA`` if None.
        results: the results folder that holds the runs.
        page: a folder for ``index.html``, the figure and ``audit.json``; none if None.

    Returns:
        ``layers`` (name, operation, estimate by power iteration, bound, method); ``critic``, and ``score`` where there
        is one (else None), each with lower (the steepest slope found), upper (the proven bound; None without a proof),
        ratio of the two, obstacle (the first operation that stops the proof), gradient_norms by place, secants by
        distance, tv_gap and continuity; ``segment``, the score along a segment and at its steepest place; ``notes``,
        seconds and more.

    Raises:
        RequestError: anything asked for is not known or not possible, or the critic is no function of one point in one
            number.
        StoreError: a run has no checkpoint, or the page cannot be written.
    """
    from lipbench.tools import audit as auditing
    from lipbench.work.device import choose_device
    from lipbench.work.stages import staying

    chosen = choose_device(device)
    if page is not None:
        from lipbench.reports import audited

        audited.check(Path(page), Path(results))
    given = {"score": score, "data": data, "shape": shape, "weights": weights}
    with places.at(data_root, None), staying():
        found = _subject(subject, points, given, seed, chosen, Path(results))
        record = auditing.audit(found, seed, chosen)
    if page is not None:
        audited.write(record, Path(page))
    return record


def _subject(subject: Any, points: Any, given: dict[str, Any], seed: int, device: Any, results: Path) -> "Subject":
    """What is asked for, whatever names it."""
    from lipbench.tools import makers, subjects

    data, shape, weights, score = (given[name] for name in ("data", "shape", "weights", "score"))
    count = points if isinstance(points, int) else COUNT
    if not isinstance(subject, str):
        if weights is not None:
            raise RequestError(
                f"weights {str(weights)!r} are given for a critic in memory, which has its own; expected them in it: "
                f"critic.load_state_dict(torch.load(…, weights_only=True))"
            )
        found = subjects.of_module(subject, None if isinstance(points, int) else points, data, shape, count, seed)
    elif not isinstance(points, int):
        raise RequestError(f"points are given for {subject!r}; expected how many, as in 100, or a critic in memory")
    elif (text := unquoted(subject)) and _is_maker(text):
        found = subjects.of_maker(makers.find_maker(text), weights, data, shape, count, seed)
    else:
        run = _run(results, text)
        for name, value in given.items():
            if value is not None:
                raise RequestError(f"{text!r} is a run and has its own {name}; leave --{name} out")
        from lipbench.tools.trained import of_run  # it takes seconds to import

        return of_run(run, count, device)
    return found if score is None else subjects.with_score(found, score)


def _is_maker(text: str) -> bool:
    if places.exists(f"{text}/cell.json"):
        return False
    base = text.partition("[")[0].strip()
    return ":" in text or base.endswith(".py") or ARCHITECTURE.canonical(base) in registry.installed(ARCHITECTURE)


def _run(results: Path, text: str) -> Any:
    try:
        return find_run(results, text)
    except StoreError as error:
        known = ", ".join(registry.installed(ARCHITECTURE))
        raise StoreError(
            f"{str(error).removesuffix('.')}. What else can be audited: a function in a file, ./critic.py:make, or a "
            f"shared network ({known})"
        ) from None
