"""Launchers: made from their names, asked, and set to work."""

from inspect import getfile
from itertools import chain
from pathlib import Path

from lipbench.errors import LipbenchError, PluginError, RequestError
from lipbench.interfaces.launcher import Launcher, Standing
from lipbench.launch.sweep import Sweep
from lipbench.plugins import registry
from lipbench.plugins.explain import OWN, explain
from lipbench.plugins.kinds import LAUNCHER
from lipbench.plugins.names import expand_all
from lipbench.plugins.parameters import read_parameters


def standing(results: Path) -> tuple[dict[str, Standing], list[str]]:
    """How runs stand that were launched and left, by their ids, and what keeps anyone from knowing more."""
    found: dict[str, Standing] = {}
    problems: list[str] = []
    for known in chain.from_iterable(registry.installed(LAUNCHER).values()):
        try:
            if "standing" in known.card.hooks:
                launcher: Launcher = registry.instance(known, {})
                found |= launcher.standing(results)
        except OSError:  # of the results folder, as whoever reads its runs says
            continue
        except LipbenchError as error:
            problems.append(f"{known.name}: {error}")
    return found, problems


def make_launcher(text: str) -> Launcher:
    """The launcher of this name, such as ``slurm[partition=gpu]``.

    Raises:
        RequestError: it is not known, or a parameter is not one of its own.
    """
    names = expand_all(text)
    if len(names) != 1 or len(names[0]) != 1:
        raise RequestError(
            f"--on is given {text!r}; expected one launcher, such as slurm[partition=gpu]: a text with commas is "
            f"quoted, as in 'slurm[partition=\"a,b\"]'"
        )
    found = registry.find(LAUNCHER, names[0][0])
    launcher: Launcher = registry.instance(found, read_parameters(names[0][0], found.card))
    return launcher


def act(launcher: Launcher, sweep: Sweep, *, dry_run: bool) -> None:
    """Launch a sweep, or only check it.

    Raises:
        PluginError: the user's own launcher fails.
    """
    try:
        (launcher.check if dry_run else launcher.launch)(sweep)
    except Exception as error:
        if isinstance(error, LipbenchError) or not type(launcher).__module__.startswith(OWN):
            raise
        file = Path(getfile(type(launcher)))
        raise PluginError(
            f"the launcher fails: {explain(error, {file: file})}; expected a launch that ends every run by "
            f"sweep.end or sweep.conclude. Give the command again: runs go on from where they stand"
        ) from error
