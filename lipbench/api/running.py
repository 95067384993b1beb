"""`run`, `report` and `load`: what the command line does, for notebooks and scripts."""

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipbench.api import arguments as asked
from lipbench.api.launching import act, make_launcher
from lipbench.disk import places
from lipbench.disk.results import check_results, find_run, prepare_results
from lipbench.launch.connection import command_line
from lipbench.launch.listener import Listener
from lipbench.launch.outcome import Summary
from lipbench.launch.sweep import Sweep
from lipbench.plugins.names import Names, listed
from lipbench.request.plan import Request, Settings, plan
from lipbench.request.protocol import quick as quick_settings
from lipbench.request.protocol import read as read_protocol
from lipbench.request.protocol import with_arguments

if TYPE_CHECKING:
    from lipbench.reports.page import Report
    from lipbench.tools.load import Loaded


@asked.checked
def read_request(
    methods: Names,
    *,
    datasets: Names | None = None,
    seeds: str | Iterable[int] = "0-4",
    protocol: str | Path = "digits",
    settings: Settings = "shared",
    measures: Names | None = None,
    steps: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    precision: str | None = None,
    quick: bool = False,
    jobs: int | None = None,
) -> Request:
    """Plan the cells of a request; see `run` for the arguments.

    Raises:
        RequestError: anything in it is not known or not possible.
    """
    asked_for = None if measures is None else ",".join(listed(measures))
    short = {"train.steps": steps, "train.precision": precision, "evaluate.measures": asked_for}
    quickly = quick_settings(read_protocol(str(protocol))) if quick else {}
    given = {**quickly, **with_arguments(overrides or {}, short)}
    planned = plan(methods, datasets, asked.seeds("seeds", seeds), str(protocol), given, settings)
    return Request(planned, jobs)


@asked.checked
def run(
    methods: Names,
    *,
    datasets: Names | None = None,
    seeds: str | Iterable[int] = "0-4",
    protocol: str | Path = "digits",
    settings: Settings = "shared",
    measures: Names | None = None,
    steps: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    precision: str | None = None,
    quick: bool = False,
    jobs: int | None = None,
    on: str = "local",
    device: str = "auto",
    timeout: float | None = None,
    retry_failed: bool = False,
    results: str | Path = "results",
    data_root: str | Path | None = None,
    inception_weights: str | Path | None = None,
    listener: Listener | None = None,
) -> Summary:
    """Train and measure every method on every data set with every seed; what is finished already is skipped.

    Args:
        methods: such as ``"wc,sn,gp[weight=1,10],./mine.py"``, or a list of names and paths.
        datasets: such as ``"digits"``; the protocol's own if None.
        seeds: ``"0-4"``, or a list of whole numbers.
        protocol: a protocol's name, or the path of a TOML file.
        settings: ``"shared"`` or ``"recommended"``.
        measures: what to measure besides what every run measures, such as ``"prdc,./mine.py"``.
        steps: training steps, in place of the protocol's.
        overrides: other settings by dotted key, such as ``{"train.batch_size": 32}``.
        precision: ``"float32"``, ``"tf32"`` or ``"bfloat16"``, in place of the protocol's.
        quick: a smoke run of seconds instead of the protocol's own length.
        jobs: runs at a time; one a core on a CPU and one on each GPU if None.
        on: where: ``"local"``, ``"slurm[partition=gpu]"``, ``"ray[address=auto]"``, or a launcher of yours.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, …
        timeout: seconds after which a run is stopped; it goes on when run again.
        retry_failed: set failed and diverged runs aside and start them over.
        results: the results folder.
        data_root: where published data sets are, or go to; ``$LIPBENCH_DATA`` if None.
        inception_weights: a file; ``$LIPBENCH_INCEPTION``, or torch-fidelity's own download, if None.
        listener: is told what happens. If None, progress is shown in a terminal and in a notebook;
            ``lipbench.Listener()`` shows nothing.

    Returns:
        How every run stands at the end.

    Raises:
        RequestError: anything in the request is not known or not possible; nothing was started.
        StoreError: the results folder cannot be written to.
    """
    request = read_request(
        methods,
        datasets=datasets,
        seeds=seeds,
        protocol=protocol,
        settings=settings,
        measures=measures,
        steps=steps,
        overrides=overrides,
        precision=precision,
        quick=quick,
        jobs=jobs,
    )
    from lipbench.screen.display import display

    shown = display(Path(results), request.planned) if listener is None else nullcontext(listener)
    with places.at(data_root, inception_weights), shown as told:
        return launch(
            request,
            Path(results),
            on=on,
            device=device,
            timeout=timeout,
            retry_failed=retry_failed,
            listener=told,
        ).summary


@asked.checked
def launch(
    request: Request,
    results: Path,
    *,
    on: str,
    device: str,
    timeout: float | None = None,
    retry_failed: bool,
    listener: Listener,
    dry_run: bool = False,
) -> Sweep:
    """Run what `read_request` planned, or only check it and say what it will take; see `run`."""
    launcher = make_launcher(on)
    (check_results if dry_run else prepare_results)(results)
    sweep = Sweep(
        results,
        request.planned,
        jobs=request.jobs,
        device=device,
        timeout=timeout,
        retry_failed=retry_failed,
        argv=command_line(),
        listener=listener,
    )
    if sweep.waiting:
        act(launcher, sweep, dry_run=dry_run)
    return sweep


@asked.checked
def report(
    results: str | Path = "results",
    out: str | Path | None = None,
    *,
    baseline: str | None = None,
    add: str | Path | Iterable[str | Path] = (),
) -> "Report":
    """Make ``runs.csv``, the tables, the figures and ``index.html`` from the run folders.

    Args:
        results: the results folder.
        out: where to write; ``report`` in the results folder if None.
        baseline: a method with which all others are compared.
        add: tables (CSV), one or several, of runs that were made elsewhere, in the columns of ``runs.csv``; with one,
            the results folder may hold no runs.

    Raises:
        RequestError: no run is of the baseline, or a table that is added is not one.
        StoreError: there are no runs, or the folder cannot be written to.
    """
    from lipbench.reports.page import write

    tables = [Path(add)] if isinstance(add, str | Path) else [Path(table) for table in add]
    return write(Path(results), Path(out) if out is not None else Path(results) / "report", baseline, tables)


@asked.checked
def load(run: str | Path, results: str | Path = "results", device: str = "cpu") -> "Loaded":
    """Load a run's networks from its checkpoint.

    Args:
        run: its id, the beginning of its id, or the path of its folder.
        results: the results folder.
        device: where to put the networks.

    Raises:
        StoreError: there is no such run, or it has no checkpoint yet, or it is damaged.
    """
    from lipbench.tools.load import load as load_run

    return load_run(find_run(Path(results), str(run)), device)
