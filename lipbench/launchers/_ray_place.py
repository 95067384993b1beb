"""The launcher's end of a place on a Ray cluster: an actor that works on one run after another."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lipbench.disk import places
from lipbench.launch.checking import check
from lipbench.launch.sweep import Sweep
from lipbench.launchers import _ray_files as files
from lipbench.launchers import _ray_node
from lipbench.launchers._ray_cluster import Wanted
from lipbench.launchers._ray_node import Files, Node

PATIENCE = 1.0  # seconds in which a node collects what it hears


@dataclass
class Place:
    """An actor, and what it was asked last.

    Attributes:
        actor: Ray's handle of it.
        answer: Ray's reference to what it was asked last.
        node: the id of its node, where it has answered.
        host: the name of its node.
        results: the path of its results folder there; empty until it is ready.
        run: the id of the run on which it works, or empty.
        begun: when that began.
        timed_out: whether it was stopped because it took too long.
        held: the claim on that run's folder.
        commands: for its server, to be sent.
    """

    actor: Any
    answer: Any
    node: str = ""
    host: str = ""
    results: str = ""
    run: str = ""
    begun: float = 0.0
    timed_out: bool = False
    held: ExitStack = field(default_factory=ExitStack)
    commands: list[dict[str, Any]] = field(default_factory=list)

    def start(self, device: str, argv: list[str]) -> None:
        """Have it start its server."""
        # What Ray sets for its own workers must not decide how a run computes; a disk that both have is used by both.
        given: dict[str, str | None] = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
        for name in (places.DATA, places.INCEPTION):
            if os.environ.get(name):
                given[name] = str(places.expanded(os.environ[name]).resolve())
        self.answer = self.actor.start.remote(device, argv, str(Path.cwd()), given)

    def begin(self, run: str, held: ExitStack, files: Files, device: str) -> None:
        """Have it begin to work on a run."""
        self.run, self.held, self.begun, self.timed_out = run, held, time.monotonic(), False
        self.commands.append({"start": f"{self.results}/runs/{run}", "device": device})
        self.exchange(files)

    def exchange(self, files: Files | None = None, patience: float = PATIENCE) -> None:
        """Send what there is to send, and ask what happens."""
        self.answer = self.actor.exchange.remote(files or {}, self.commands, patience)
        self.commands = []

    def let_go(self) -> None:
        """Give the claim back: nothing more is written in that run's folder."""
        self.run = ""
        self.held.close()


def create(ray: Any, wanted: Wanted, left_out: Mapping[str, str]) -> Place:
    """Ask Ray for a place; it may have to wait for one.

    Args:
        ray: the library.
        wanted: what it takes of a node.
        left_out: the ids of nodes on which it may not be.
    """
    ray.cloudpickle.register_pickle_by_value(_ray_node)  # a node may have no lipbench, or another
    options: dict[str, Any] = {
        "num_cpus": wanted.num_cpus,
        "num_gpus": wanted.num_gpus,
        "max_restarts": 0,  # a restart would begin with an empty folder
    }
    if nodes := ",".join(node for node in left_out if node):
        options["label_selector"] = {"ray.io/node-id": f"!in({nodes})"}
    actor = ray.remote(Node).options(**options).remote()
    return Place(actor, actor.about.remote())


def dismiss(ray: Any, place: Place) -> Any:
    """End a place and what runs there; gives the reference to its end, None where there is nothing to wait for."""
    place.held.close()
    if place.node:
        return place.actor.close.remote()
    ray.kill(place.actor)
    return None


def differs(has: Mapping[str, str], mine: Mapping[str, str]) -> str:
    """Why a node cannot be used, or nothing; arguments as of `Node.about` and `installed`."""
    if not has["version"]:
        return f"{has['host']} has no lipbench; expected lipbench {mine['version']} there, for {has['python']}"
    if has["version"] != mine["version"]:
        return f"{has['host']} has lipbench {has['version']}, and this is {mine['version']}; expected the same"
    if has["code"] != mine["code"]:
        return (
            f"{has['host']} has lipbench {has['version']} of another code ({has['code']}, and this is {mine['code']}); "
            f"expected the same"
        )
    return ""


def check_in(ray: Any, place: Place, sweep: Sweep, jobs: int, meanwhile: Callable[[], None]) -> None:
    """Check one cell of each sort in a place on the cluster, and bring back the yardsticks.

    Args:
        ray: the library.
        place: where.
        sweep: its runs that wait are checked.
        jobs: how many will run at a time.
        meanwhile: called again and again.

    Raises:
        RequestError: a check failed or took too long.
        RayError: the place was lost.
    """
    given: Files = {}
    planned = []
    for name in sweep.waiting:
        given |= files.sources(sweep, name) | files.yardsticks(sweep, name)
        there = {copy: Path(place.results, "sources", name, copy) for copy in sweep.contents[name]}
        planned.append(replace(sweep.planned[name], sources=there))
    place.exchange(given, patience=0.0)
    answer, place.answer = place.answer, None
    ray.get(answer)
    log = sweep.results / "prepare.log"
    server: Any = _Remote(ray, place, sweep, meanwhile)  # speaks as a connection does
    check(server, planned, jobs=jobs, timeout=sweep.timeout, log=log, measure=True, listener=sweep.listener)


@dataclass
class _Remote:
    """A place's fork server, as the checks speak to one; arguments as of `check_in`."""

    ray: Any
    place: Place
    sweep: Sweep
    meanwhile: Callable[[], None]

    def send(self, command: dict[str, Any]) -> None:
        """See `Connection.send`."""
        log = {"log": f"{self.place.results}/prepare.log"} if "log" in command else {}
        self.place.commands.append(command | log)

    def events(self, patience: float) -> list[dict[str, Any]]:
        """See `Connection.events`."""
        self.place.exchange(patience=patience)
        answer, self.place.answer = self.place.answer, None
        events, changed = self.ray.get(answer)
        files.keep(self.sweep, "", changed)
        self.meanwhile()
        found: list[dict[str, Any]] = events
        return found
