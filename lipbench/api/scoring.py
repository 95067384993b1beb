"""`prepare` and `evaluate`: what comes before training, and what can be done after it."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipbench.api import arguments as asked
from lipbench.disk import places
from lipbench.disk.results import find_run, prepare_results
from lipbench.errors import RequestError
from lipbench.launch.listener import Listener
from lipbench.plugins import registry
from lipbench.plugins.kinds import DATASET
from lipbench.plugins.names import Name, Names, listed, unquoted
from lipbench.request.named import read_one
from lipbench.request.plan import plan
from lipbench.request.protocol import with_arguments

if TYPE_CHECKING:
    from lipbench.work.prepare import Prepared


@asked.checked
def prepare(
    protocol: str | Path = "digits",
    *,
    datasets: Names | None = None,
    overrides: Mapping[str, Any] | None = None,
    device: str = "auto",
    data_root: str | Path | None = None,
    inception_weights: str | Path | None = None,
    results: str | Path = "results",
    note: Callable[[str], None] = lambda text: None,
) -> "list[Prepared]":
    """Bring data, weights and real statistics ahead of time, for machines without a network or with many runs.

    Args:
        protocol: a protocol's name, or the path of a TOML file.
        datasets: the protocol's own if None.
        overrides: settings by dotted key.
        device: what measures the real pictures.
        data_root: where published data sets are, or go to; ``$LIPBENCH_DATA`` if None.
        inception_weights: a file; ``$LIPBENCH_INCEPTION``, or torch-fidelity's own download, if None.
        results: where the yardsticks (noise, real against real) are kept.
        note: is told at once what a reader of the numbers must know.

    Raises:
        RequestError: something is missing and cannot be fetched, or does not fit together.
        StoreError: a folder cannot be written to.
    """
    from lipbench.work.device import choose_device
    from lipbench.work.prepare import prepare_pictures
    from lipbench.work.stages import staying

    choose_device(device)
    folder, listener = Path(results), Listener()
    listener.noted = lambda text: note(text)  # type: ignore[method-assign]  # a class would say the same in six lines
    prepare_results(folder)
    with places.at(data_root, inception_weights), staying():
        cells = plan("none", datasets, [0], str(protocol), overrides or {})
        return [prepare_pictures(planned, device, folder, listener) for planned in cells]


@asked.checked
def evaluate(
    subjects: Names,
    *,
    against: str | Path | None = None,
    split: str | None = None,
    samples: int | None = None,
    extractor: str | None = None,
    measures: Names | None = None,
    overrides: Mapping[str, Any] | None = None,
    protocol: str | Path | None = None,
    device: str = "auto",
    data_root: str | Path | None = None,
    inception_weights: str | Path | None = None,
    results: str | Path = "results",
) -> list[dict[str, Any]]:
    """Score finished runs again, or pictures from anywhere, without training.

    Args:
        subjects: runs (an id, the beginning of one, or a folder) and data sets such as ``folder[path=fakes,size=32]``.
        against: the real pictures; a run's own data set if None.
        split: their part: ``train``, ``held_out`` or ``all``. If None: all of a folder, else the protocol's own.
        samples: how many pictures; as many as the run's protocol says, or all, if None.
        extractor: another extractor.
        measures: what to measure of the pictures besides, such as ``"prdc"``; as the run's protocol says if None.
        overrides: other settings of the ``evaluate`` table, such as ``{"evaluate.kid_subset_size": 64}``.
        protocol: whose ``evaluate`` table pictures are scored by, ``cifar10-cnn`` if None; a run has its own.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, …
        data_root: where published data sets are; ``$LIPBENCH_DATA`` if None.
        inception_weights: a file; ``$LIPBENCH_INCEPTION``, or torch-fidelity's own download, if None.
        results: the results folder that holds the runs.

    Returns:
        A record for each subject: fid, kid_mean, kid_std, inception_score (None where the weights cannot give one),
        samples, extractor, measures (what else was taken), comparable (the id of all that numbers must share to be
        compared) and more.

    Raises:
        RequestError: anything asked for is not known or not possible.
        StoreError: there is no such run, or it has no checkpoint.
    """
    from lipbench.tools.score import score_pictures, score_run
    from lipbench.work.device import choose_device
    from lipbench.work.stages import staying

    choose_device(device)
    besides = None if measures is None else ",".join(listed(measures))
    short = {"evaluate.samples": samples, "evaluate.extractor": extractor, "evaluate.measures": besides}
    given = with_arguments(overrides or {}, short)
    for key in given:
        if not key.startswith("evaluate."):
            raise RequestError(f"setting {key!r} is not one of evaluation; expected evaluate.…: training is over")
    records = []
    with places.at(data_root, inception_weights), staying():
        other = read_one(DATASET, str(against)) if against is not None else None
        for text in listed(subjects):
            if not _is_dataset(text):
                if protocol is not None:
                    raise RequestError(f"{text!r} is a run and has a protocol of its own; leave --protocol out")
                records.append(score_run(find_run(Path(results), unquoted(text)), other, split, given, device))
                continue
            if other is None:
                raise RequestError(
                    f"{text!r} is a data set, and there is nothing to compare it with; "
                    f"expected real pictures, such as --against cifar10"
                )
            records.append(
                score_pictures(read_one(DATASET, text), other, split, str(protocol or "cifar10-cnn"), given, device)
            )
    return records


def _is_dataset(text: str) -> bool:
    """Whether a subject is a data set rather than a run.

    Raises:
        RequestError: it is a plain folder.
    """
    place = unquoted(text)
    if places.exists(f"{place}/cell.json"):
        return False
    base = place.partition("[")[0].strip()
    if base.endswith(".py") or DATASET.canonical(base) in registry.installed(DATASET):
        return True
    if places.exists(f"{place}/."):
        folder = str(Name("folder", (("path", place), ("size", "32"))))
        raise RequestError(f"{place!r} is a folder without a run in it; as pictures it is named {shlex.quote(folder)}")
    return "[" in text
