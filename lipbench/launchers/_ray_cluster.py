"""A Ray cluster: reached, or refused with a reason, and what its nodes have."""

import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from math import floor
from typing import Any

from lipbench.errors import RequestError, shortened

ANSWER_SECONDS = 20.0
# In a process of its own: where nobody answers, Ray waits for minutes, and cannot be interrupted.
TRY = "import logging, sys, ray; ray.init(sys.argv[1], log_to_driver=False, logging_level=logging.CRITICAL)"


@dataclass(frozen=True)
class Wanted:
    """What one run asks a node for."""

    num_cpus: float
    num_gpus: float

    def __str__(self) -> str:
        return _amounts(self.num_cpus, self.num_gpus)

    def times(self, resources: Mapping[str, float]) -> int:
        """How many runs a node of these resources takes at a time."""
        asked = {"CPU": self.num_cpus, "GPU": self.num_gpus}
        fits = [resources.get(kind, 0.0) / amount for kind, amount in asked.items() if amount]
        return floor(min(fits) + 1e-9)


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Reach a cluster; gives the library. A process that has reached one already stays with it.

    Raises:
        RequestError: the library is missing, or the cluster does not answer or is of another version.
    """
    try:
        import ray
    except ImportError as error:
        raise RequestError(f"--on ray needs the library ray ({error}); pip install ray") from None
    if ray.is_initialized():
        yield ray
        return
    if address != "local":
        _try(address)
    worker: Any = ray._private.worker
    before, printing = signal.getsignal(signal.SIGTERM), getattr(worker, "print_to_stdstream", None)
    try:
        # Ray adds the present folder to the path of every worker, where a checkout would hide what is installed.
        with _silence(), chdir(sys.prefix):
            ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL)
        # What Ray prints all the same, such as the last lines of the log of a node that was lost.
        worker.print_to_stdstream = lambda *given, **named: None
        if before is not None and signal.getsignal(signal.SIGTERM) is not before:  # Ray's own ends the process
            signal.signal(signal.SIGTERM, before)
    except (ConnectionError, RuntimeError) as error:
        raise _refused(address, str(error)) from None
    try:
        yield ray
    finally:
        with _silence():
            ray.shutdown()
        worker.print_to_stdstream = printing


def _try(address: str) -> None:
    command = [sys.executable, "-P", "-c", TRY, address]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=ANSWER_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _refused(address, f"no answer in {ANSWER_SECONDS:g} s") from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        said = [line for line in lines if "Error: " in line]
        raise _refused(address, " ".join(lines[lines.index(said[-1]) :]) if said else f"exit code {done.returncode}")


def _refused(address: str, reason: str) -> RequestError:
    given = f"RAY_ADDRESS={os.environ['RAY_ADDRESS']}" if os.environ.get("RAY_ADDRESS") else f"address={address}"
    return RequestError(
        f"the Ray cluster of {given} cannot be used ({shortened(reason, 400)}); expected one that runs (`ray start "
        f"--head` starts it): ray[address=HOST:6379], ray[address=auto] on one of its nodes, or ray[address=local] for "
        f"this machine alone"
    )


@contextmanager
def _silence() -> Iterator[None]:
    """Keep off the terminal what Ray's compiled part prints."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with tempfile.TemporaryFile() as away:
            os.dup2(away.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def name_of(node: Mapping[str, Any]) -> str:
    """What people call a node."""
    return str(node["NodeManagerHostname"])


def usable(ray: Any, wanted: Wanted, left_out: Mapping[str, str]) -> dict[str, int]:
    """How many runs each living node takes at a time, by its id; nodes that take none, or are left out, are missing."""
    taking = {node["NodeID"]: wanted.times(node["Resources"]) for node in ray.nodes() if node["Alive"]}
    return {node: count for node, count in taking.items() if count and node not in left_out}


def described(ray: Any) -> str:
    """The living nodes and what each has."""
    found = []
    for node in ray.nodes():
        if node["Alive"]:
            has = node["Resources"]
            found.append(f"{name_of(node)} with {_amounts(has.get('CPU', 0.0), has.get('GPU', 0.0))}")
    return ", ".join(found)


def _amounts(cpus: float, gpus: float) -> str:
    amounts = {"CPU": cpus, "GPU": gpus}
    return " and ".join(f"{n:g} {kind}{'s' * (n != 1)}" for kind, n in amounts.items() if n or kind == "CPU")


def reason_of(error: Exception) -> str:
    """What one of Ray's errors says, in a line."""
    cause = getattr(error, "cause", None)  # what was raised on the node
    return type(error).__name__ if cause is None else shortened(f"{type(cause).__name__}: {cause}", 200)
