"""The stages of what is done before the first run: each is told as it begins, and named where it fails."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_tb
from typing import NoReturn

from lipbench import terminal
from lipbench.errors import Diverged, LipbenchError, RequestError
from lipbench.launch.listener import Listener
from lipbench.plugins.explain import explain
from lipbench.plugins.importing import CURE

ALONE = (
    "code that reads no file beside itself: a run has copies of it and of the modules that it imports, and of nothing "
    "else that lies there; write the place of such a file out in full"
)


@contextmanager
def staying() -> Iterator[None]:
    """Let nothing in the block end the program in silence; a process that is forked there may end as it likes.

    Raises:
        RequestError: something would have ended it.
    """
    here, leave = os.getpid(), os._exit

    def stay(status: int) -> NoReturn:
        if os.getpid() != here:
            leave(status)
        raise SystemExit(status)

    os._exit = stay
    try:
        yield
    except (SystemExit, GeneratorExit) as error:
        *_, last = (frame for frame in extract_tb(error.__traceback__) if frame.filename != __file__)
        if _is_unread(error):
            raise
        raise RequestError(
            f"{last.filename!r}, line {last.lineno}, in {last.name}, ends the program ({type(error).__name__}: "
            f"{error}); expected code that returns, or an exception that says what is wrong"
        ) from error
    finally:
        os._exit = leave


def _is_unread(error: BaseException) -> bool:
    """Whether lipbench itself leaves, because nobody reads what it says."""
    return isinstance(error, SystemExit) and extract_tb(error.__traceback__)[-1].filename == terminal.__file__


@dataclass(frozen=True)
class Stages:
    """What is under way, for whoever listens.

    Attributes:
        subject: what is checked, such as ``gp on digits``; every message begins with it.
        files: copies of the user's own files, and where the user has them.
        listener: hears each stage as it begins.
    """

    subject: str
    files: Mapping[Path, Path] = field(default_factory=dict)
    listener: Listener = field(default_factory=Listener)

    @contextmanager
    def stage(self, doing: str, expected: str) -> Iterator[None]:
        """Do something that may run the user's code; whatever that raises becomes a message.

        Args:
            doing: what, such as ``trying score``.
            expected: what should have been there, for the message.

        Raises:
            RequestError: the block raised anything.
        """
        self.listener.checking(f"{self.subject}: {doing}")
        try:
            yield
        except Diverged as diverged:
            raise RequestError(f"{self.subject} fails while {doing}: {diverged}; expected {expected}") from diverged
        except LipbenchError as error:
            said = self._shown(str(error))
            if self._reads_beside(error.__cause__):
                said = f"{said.removesuffix('.')}; expected {ALONE}"
            if said == str(error):
                raise
            raise RequestError(said) from error
        except (Exception, SystemExit, GeneratorExit) as error:  # a plugin may raise anything, and even try to leave
            if _is_unread(error):
                raise
            said = self._shown(explain(error, self.files))
            if self._reads_beside(error):
                expected = ALONE
            end = f". {CURE}" if isinstance(error, ImportError) else f"; expected {expected}"
            raise RequestError(f"{self.subject} fails while {doing}: {said}{end}") from error

    def _shown(self, text: str) -> str:
        """The text with the user's own files, and the folders that they lie in, in place of their copies."""
        originals = {**self.files, **{copy.parent: shown.parent for copy, shown in self.files.items()}}
        for copy, original in sorted(originals.items(), key=lambda pair: -len(pair[0].parts)):
            text = text.replace(str(copy), str(original))
        return text

    def _reads_beside(self, error: BaseException | None) -> bool:
        """Whether a file is missing among the copies, or in a folder in or above them."""
        if not (isinstance(error, FileNotFoundError) and isinstance(error.filename, str | bytes)):
            return False
        sought = Path(os.fsdecode(error.filename)).resolve()
        folders = {folder.resolve() for copy in self.files for folder in (copy.parent, copy.parent.parent)}
        return not folders.isdisjoint(sought.parents)
