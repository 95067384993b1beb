"""For authors of networks and methods: ``lipbench check`` and ``new``."""

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from lipbench import terminal
from lipbench.cli import options
from lipbench.errors import RequestError


@click.command()
@click.argument("subject")
@click.option(
    "--methods", help="For networks: such as gn,'gp[weight=1]',./my_method.py  [default: wc,sn,gp,gn]", metavar="NAMES"
)
@click.option("--datasets", help="Such as digits; the protocol's own if left out.")
@click.option("--protocol", default="digits", show_default=True, help="A protocol's name, or the path of a TOML file.")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    help="For a method: of the training after which its guarantee is measured.  [default: 300]",
)
@options.overrides
@options.device
@options.data_root
@options.inception_weights
@options.json_file
def check(subject: str, json_file: Path | None, **asked: Any) -> None:
    """Check networks of yours under methods, or a method of yours.

    SUBJECT is a function in a file of yours that makes networks, ./nets.py:make, or the name of shared ones, cnn-32;
    or it is the file of a method, ./my_method.py, with parameters './my_method.py[weight=1]', or a method's name.

    Networks are tried as before a run: accepted, with the way in which gradients are taken, all that stands against the
    quick one, and the time of a run; or refused, with the reason. The protocol gives the shape of the pictures: 1×8×8
    for digits, 3×32×32 for cifar10-cnn. Nothing is trained.

    A method is trained for less than a minute on the CPU, on the networks of the protocol or those of --set
    architecture=NAME. A line each says what passed, what failed, with the cure, and what does not apply: that it
    treats each sample by itself, is not the control, draws by the seed alone, resumes bit-equal, survives a dead
    critic, and that gradients and secants do not contradict its guarantee.

    Nothing is written but what --json asks for.

    Exit codes: 0 every method accepts the networks, or the method passes every check; 1 it is not so; 2 the request was
    wrong.
    """
    from lipbench.api import methods

    given = {name: value for name, value in asked.items() if value is not None}
    passed, record = _method(subject, given) if methods.names_method(subject) else _networks(subject, given)
    if json_file is not None:
        from lipbench.disk.files import to_json, write_atomically

        write_atomically(json_file, to_json(record))
    sys.exit(0 if passed else 1)


def _networks(architecture: str, asked: dict[str, Any]) -> tuple[bool, Any]:
    """Show each method's verdict; gives whether all accept the networks, and the verdicts for JSON."""
    from lipbench.api import networks
    from lipbench.screen import verdicts

    if "steps" in asked:
        raise RequestError(f"--steps is for methods, and {architecture!r} stands for networks; leave it out")
    console = terminal.console()
    with verdicts.watching(console) as listener:
        said = networks.check(architecture, **asked, listener=listener)
    verdicts.show(console, said)
    record = [
        {
            "method": each.cell.method,
            "dataset": str(each.cell.dataset),
            "accepted": each.accepted,
            "refusal": each.refusal,
            "facts": each.facts,
            "seconds": each.forecast and each.forecast.seconds,
            "notes": each.notes,
        }
        for each in said
    ]
    return all(verdict.accepted for verdict in said), record


def _method(method: str, asked: dict[str, Any]) -> tuple[bool, Any]:
    """Show each finding; gives whether none failed, and the findings for JSON."""
    from lipbench.api import methods
    from lipbench.screen import findings, verdicts

    if "methods" in asked:
        raise RequestError(f"--methods is for networks, and {method!r} is a method itself; leave it out")
    if asked.pop("device") not in ("auto", "cpu"):
        raise RequestError("--device is for networks; a method is checked on the CPU, bit by bit: leave it out")
    asked.pop("inception_weights", None)  # no extractor is asked; the environment may name its weights
    console = terminal.console()
    with verdicts.watching(console) as listener:
        found = methods.check_method(method, **asked, listener=listener)
    findings.show(console, found)
    return not found.failed, asdict(found)


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
def new(path: Path) -> None:
    """Write a method of your own that runs as it stands.

    PATH is a file that is not there yet, such as my_method.py; its name is that of the method. It holds one class with
    a gradient penalty, to be changed, and says what else a method may do.
    """
    from lipbench.plugins import starter

    written = starter.write(path)
    place = shlex.quote(str(written) if "/" in str(path) else f"./{path}")
    terminal.say(f"{path} is written: a method that runs as it stands. Next:")
    terminal.say(f"  lipbench check {place}")
    terminal.say(f"  lipbench run --methods {place} --quick")
