"""The signals by which a user, a scheduler or a closing terminal asks a process to stop. Knows nothing of torch."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)
ECHO_SECONDS = 0.5  # in which a second signal is the first again


class Stopped(KeyboardInterrupt):
    """The work was stopped by a signal.

    Args:
        signum: of the signal.
        where: how the work stands.
    """

    def __init__(self, signum: int, where: str = "") -> None:
        super().__init__(f"Stopped by {signal.Signals(signum).name}{where and f': {where}'}.")
        self.signum = signum

    @property
    def code(self) -> int:
        """The exit code that shells expect."""
        return 128 + self.signum


class Signals:
    """Hears the first signal, so that the work can be put down in order.

    Args:
        again: called at a second signal; None ignores it. One that follows at once is the first again: a closing
            terminal's shell and kernel both send one, a scheduler and a launcher too.

    Attributes:
        heard: the first signal, or 0.
    """

    def __init__(self, again: Callable[[int], None] | None = None) -> None:
        self.heard = 0
        self._again = again
        self._interrupting = False
        self._since = 0.0

    @contextmanager
    def hearing(self) -> Iterator[None]:
        """Hear signals in the block. What ignores a signal, as ``nohup`` does, goes on to ignore it."""
        if threading.current_thread() is not threading.main_thread():  # Python hears signals there alone
            yield
            return
        before = {}
        try:
            for number in ASKING:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before[number] = signal.signal(number, self._hear)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Raise `Stopped` inside the block as soon as a signal comes, or if one has come before."""
        self._interrupting = True
        try:
            self.raise_if_heard()
            yield
        finally:
            self._interrupting = False

    def raise_if_heard(self) -> None:
        """Stop here where a signal has been heard.

        Raises:
            Stopped: one has.
        """
        if self.heard:
            raise Stopped(self.heard)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if not self.heard:
            self.heard, self._since = number, time.monotonic()
            if self._interrupting:
                self._interrupting = False
                raise Stopped(number)
        elif self._again is not None and time.monotonic() - self._since > ECHO_SECONDS:
            self._again(number)


def end(number: int) -> None:
    """End this process at once."""
    os._exit(128 + number)


def hold_back() -> None:
    """Let no signal come until `let_through`: those that are sent come then."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ASKING)


def let_through() -> None:
    """Undo `hold_back`."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING)


def ignore() -> None:
    """Ignore them all in this process."""
    for number in ASKING:
        signal.signal(number, signal.SIG_IGN)


def obey() -> None:
    """Let each end this process, as they do from the start."""
    for number in ASKING:
        signal.signal(number, signal.SIG_DFL)


def end_group(leader: int) -> None:
    """Kill a process that leads a group, and all that it has started there."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
