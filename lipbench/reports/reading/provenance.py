"""How the runs of a report were made: command lines, versions and machines."""

import shlex
from collections.abc import Iterable
from typing import Any

from lipbench.disk.store import RunFolder
from lipbench.errors import StoreError

KERNEL = "kernel_launcher.py"
NO_COMMAND = "from Python, without a command line"


def provenance(folders: Iterable[RunFolder]) -> tuple[list[str], list[str], list[str]]:
    """What the environments of runs say.

    Returns:
        The command lines, the environments in words, each once and sorted; and what could not be read, in sentences.
    """
    commands, environments, problems = set(), set(), []
    for folder in folders:
        try:
            found = folder.read_json("environment.json")
            if found is not None:
                commands.add(_command(found.get("argv", [])))
                environments.add(_words(found))
        except StoreError as error:
            problems.append(str(error))
        except (TypeError, AttributeError) as error:
            problems.append(f"{str(folder.file('environment.json'))!r} is damaged ({error}) and left out")
    return sorted(commands), sorted(environments), problems


def _command(argv: list[Any]) -> str:
    """A command that can be given again; that which serves a notebook is none, and names private files."""
    words = [str(word) for word in argv]
    return NO_COMMAND if not words or words[0].endswith(KERNEL) else shlex.join(words)


def _words(found: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in found.get("versions", {}).items())
    threads = f"{found.get('threads')} thread" + "s" * (found.get("threads") != 1)
    return (
        f"lipbench {found.get('lipbench')}, Python {found.get('python')}, {versions}; "
        f"{found.get('platform')}, {found.get('device')}, {threads}"
    )
