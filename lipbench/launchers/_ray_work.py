"""Works through a sweep on a Ray cluster. The run folders travel; this process alone writes in those of the sweep.

Each place on the cluster takes one run after another. It gets the run's folder, and gives back what has changed at each
checkpoint and at the end. When it is lost, with its process or its node, its run goes on elsewhere from what has come.
"""

import signal
import sys
import time
from collections import Counter
from contextlib import ExitStack
from typing import Any

from lipbench.disk.claims import ClaimLostError
from lipbench.disk.store import Status
from lipbench.errors import RequestError, StoreError
from lipbench.launch import BUSY, STOPPED
from lipbench.launch.signals import Signals, Stopped
from lipbench.launch.sweep import LOOK_SECONDS, Sweep
from lipbench.launchers import _ray_files as files
from lipbench.launchers._ray_cluster import Wanted, name_of, reason_of, usable
from lipbench.launchers._ray_node import Changes, installed
from lipbench.launchers._ray_place import Place, check_in, create, differs, dismiss

ENDING_SECONDS = 15.0  # in which places remove what they have written
QUEUED = 16  # places at most that wait for the cluster to have room


class Work:
    """Works through a sweep.

    Args:
        ray: the library, which has reached a cluster.
        sweep: what is to be run.
        wanted: what one run takes of a node.
        device: of every run.
        retries: how often a run may be lost without a new checkpoint in between.
        autoscale: whether the cluster may still get nodes that can be used.
    """

    def __init__(self, ray: Any, sweep: Sweep, wanted: Wanted, device: str, retries: int, *, autoscale: bool) -> None:
        self._ray, self.sweep, self._wanted, self._device = ray, sweep, wanted, device
        self._retries, self._autoscale = retries, autoscale
        self._errors = ray.exceptions.RayError
        self._signals = Signals(again=self._end_at_once)
        self._mine = installed()
        self._places: list[Place] = []
        self._ending: list[Any] = []  # what says that a place has ended
        self._left_out: dict[str, str] = {}  # why, by the ids of nodes; "" for all of them
        self._losses: Counter[str] = Counter()  # of each run, since its last checkpoint
        self._at_once = False

    def run(self) -> None:
        """Run everything that is not finished.

        Raises:
            RequestError: a check failed, or no node can be used; nothing was started.
            Stopped: by a signal; every run has written its checkpoint, unless a second one came.
        """
        with self._signals.hearing():
            try:
                if self.sweep.waiting:
                    self._prepare()
                try:
                    self._work()
                except SystemExit:  # of a listener whose reader has gone
                    self._signals.heard = signal.SIGPIPE
                    self._work()
            finally:
                self._dismiss(self._places)
                if self._ending and not self._at_once:
                    self._ray.wait(self._ending, num_returns=len(self._ending), timeout=ENDING_SECONDS)
            if self._signals.heard:
                raise Stopped(self._signals.heard, self.sweep.summary.standing)

    def _prepare(self) -> None:
        """Check everything in the first place that Ray gives; there is nothing to save yet."""
        sweep, lost = self.sweep, 0
        sweep.listener.preparing()
        taking = usable(self._ray, self._wanted, {})
        hosts = [name_of(node) for node in self._ray.nodes() if node["NodeID"] in taking]
        jobs = min(sweep.jobs or len(sweep.waiting), sum(taking.values()) or len(sweep.waiting))
        self.sweep.listener.placed(jobs, list(dict.fromkeys(hosts)))
        try:
            with self._signals.interrupting():
                while True:
                    place = self._first()
                    try:
                        check_in(self._ray, place, sweep, jobs, meanwhile=lambda: self._hear(0.0))
                        return
                    except self._errors as error:
                        lost += 1
                        if lost > self._retries:
                            raise RequestError(f"{place.host} was lost while it checked: {reason_of(error)}") from None
                        self._drop(place)
        except Stopped as stopped:
            raise Stopped(stopped.signum, "no run had begun") from None

    def _first(self) -> Place:
        """Wait for a place that is ready."""
        while True:
            self._grow()
            self._hear()
            for place in self._places:
                if place.results:
                    return place
            self.sweep.listener.checking(f"waiting for {self._wanted} of the Ray cluster")
            if not self._usable():
                raise RequestError(f"no node of the Ray cluster can be used: {'; '.join(self._left_out.values())}")

    def _work(self) -> None:
        """Start, hear and stop runs until all have ended."""
        sweep, looked, stopping = self.sweep, time.monotonic(), False
        while sweep.waiting or self._running or sweep.elsewhere:
            if self._signals.heard and not stopping:
                stopping = True
                for place in self._running:
                    place.commands.append({"stop": signal.SIGTERM})
                sweep.stop(self._signals.heard, len(self._running))
            if stopping:
                sweep.elsewhere.clear()
            self._grow()
            for place in [place for place in self._places if place.results and not place.run]:
                self._begin(place)
            self._hear()
            self._stop_overdue()
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                sweep.look_elsewhere()
                if not (self._running or self._usable()):
                    self._end_waiting()

    @property
    def _running(self) -> list[Place]:
        return [place for place in self._places if place.run]

    def _grow(self) -> None:
        """Ask for places as long as runs wait for one, and give back those that none waits for."""
        starting = [place for place in self._places if not place.results]
        free = [place for place in self._places if place.results and not place.run]
        waiting = len(self.sweep.waiting)
        room = (self.sweep.jobs or sys.maxsize) - len(self._places)
        for _ in range(min(waiting - len(starting) - len(free), QUEUED - len(starting), room)):
            self._places.append(create(self._ray, self._wanted, self._left_out))
        self._dismiss([*free, *starting][waiting:])

    def _begin(self, place: Place) -> None:
        """Give a place the next run that can begin."""
        sweep = self.sweep
        while sweep.waiting:
            name, held = sweep.waiting.popleft(), ExitStack()
            if not sweep.make(name, held):
                continue
            try:
                place.begin(name, held, files.of_run(sweep, name), self._device)
            except (OSError, StoreError) as error:
                held.close()
                sweep.end(name, Status.FAILED, str(error))
                continue
            self.sweep.listener.started(name)
            return

    def _hear(self, patience: float = 0.2) -> None:
        """Take what has come; wait a moment for the first."""
        asked = {place.answer: place for place in self._places if place.answer is not None}
        if not asked:
            time.sleep(patience)
            return
        self._ray.wait(list(asked), num_returns=1, timeout=patience)
        for answer in self._ray.wait(list(asked), num_returns=len(asked), timeout=0)[0]:
            place = asked[answer]
            place.answer = None
            try:
                self._take(place, self._ray.get(answer))
            except self._errors as error:
                self._lose(place, error)

    def _take(self, place: Place, said: Any) -> None:
        if not place.node:
            place.node, place.host = said["id"], said["host"]
            if problem := differs(said, self._mine):
                self._leave_out(place, problem)
            else:
                place.start(self._device, self.sweep.argv)
        elif not place.results:
            place.results, self._losses[""] = said, 0
        else:
            self._hear_run(place, *said)
            if place.run:
                place.exchange()

    def _hear_run(self, place: Place, events: list[dict[str, Any]], changed: Changes) -> None:
        name = place.run
        try:
            if files.keep(self.sweep, name, changed):
                self._losses[name] = 0
        except ClaimLostError:  # this process was halted, and another has the run
            self._drop(place)
            self.sweep.elsewhere[name] = "another process"
            return
        except (OSError, StoreError) as error:  # of this machine's disk
            self._drop(place)
            self.sweep.end(name, Status.FAILED, str(error))
            return
        for event in events:
            if event["event"] == "step":
                self.sweep.stepped(name, event["step"])
            elif event["event"] == "exit":
                self._end(place, event)

    def _end(self, place: Place, event: dict[str, Any]) -> None:
        """A run's process has ended."""
        name = place.run
        place.let_go()
        if event["code"] == BUSY:  # the node was halted for a minute, and its own claim has lapsed
            self._again(name, f"its process on {place.host} gave no sign of life")
        elif event["code"] == STOPPED:
            self.sweep.stopped(name)
        else:
            self.sweep.conclude(name, event["signal"], self.sweep.timeout if place.timed_out else None)

    def _stop_overdue(self) -> None:
        timeout = self.sweep.timeout
        for place in self._running:
            if timeout is not None and time.monotonic() - place.begun > timeout and not place.timed_out:
                place.timed_out = True
                place.commands.append({"kill": place.run})

    def _lose(self, place: Place, error: Exception) -> None:
        """A place is gone; its run goes on elsewhere."""
        name, reason = place.run, reason_of(error)
        # Its disk is full, or its installation is broken: others would find the same.
        if isinstance(error, OSError) or (place.node and not place.results and getattr(error, "cause", None)):
            self._leave_out(place, f"{place.host} cannot be used: {reason}")
        else:
            self._drop(place)
        if name:
            self._again(name, f"{place.host} or its process was lost ({reason})")
        elif not place.node:
            self._losses[""] += 1
            if self._losses[""] > self._retries:
                self._left_out[""] = f"Ray cannot start a process for it: {reason}"

    def _drop(self, place: Place) -> None:
        place.let_go()
        self._dismiss([place])

    def _dismiss(self, places: list[Place]) -> None:
        self._places = [place for place in self._places if place not in places]
        self._ending += [end for place in places if (end := dismiss(self._ray, place)) is not None]

    def _leave_out(self, place: Place, problem: str) -> None:
        """Use a node no more."""
        if place.node not in self._left_out:
            self._left_out[place.node] = problem
            self.sweep.listener.noted(f"{problem}; no run goes there.")
        self._drop(place)

    def _end_waiting(self) -> None:
        """No node is left on which runs could go on."""
        reasons = "; ".join(self._left_out.values()) or "all that could are gone"
        while self.sweep.waiting:
            name = self.sweep.waiting.popleft()
            self.sweep.end(name, Status.FAILED, f"no node can take it ({reasons}); it goes on when run again")

    def _usable(self) -> bool:
        some = self._autoscale or usable(self._ray, self._wanted, self._left_out)
        return bool(some) and "" not in self._left_out

    def _again(self, name: str, reason: str) -> None:
        self._losses[name] += 1
        if self._signals.heard:
            self.sweep.end(name, Status.INTERRUPTED, f"{reason}; it goes on from its last checkpoint when run again")
        elif self._losses[name] > self._retries:
            times = f"{self._losses[name]} time{'s' * (self._losses[name] != 1)} since its last checkpoint"
            message = f"{reason}, {times}; it goes on from there when run again"
            self.sweep.end(name, Status.FAILED, message)
        else:
            self.sweep.listener.noted(f"{name} goes on from its last checkpoint: {reason}.")
            self.sweep.waiting.appendleft(name)

    def _end_at_once(self, number: int) -> None:
        self._at_once = True
        raise Stopped(number, "at once. Runs go on from their last checkpoints, which may be a minute old")
