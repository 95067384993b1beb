"""The command line: a thin skin over the functions of `lipbench`.

Commands import what they need when they run.
"""

import sys
from typing import Any

import click

from lipbench import terminal
from lipbench.cli import audit, authors, known, networks, results, run, score
from lipbench.errors import LipbenchError
from lipbench.version import VERSION

INTERRUPTED = 130  # the shell's code for Ctrl-C


class _Group(click.Group):
    """Prints what a user can mend as one message, without a traceback, and exits with code 2."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        terminal.open_standard_files()
        terminal.write_anything()
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if not _of_click(error):
                raise
            with terminal.written():
                raise

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse empty texts, of which every option would make its default: an unset variable of the shell."""
        for before, word in zip(["", *args], args, strict=False):
            option, equals, value = word.partition("=") if word.startswith("--") else (before, "=", word)
            if equals and not value.strip():
                raise click.UsageError(
                    f"{option} is given {value!r}; expected a text that is not empty. Is a variable of the shell unset?"
                )
        return super().parse_args(ctx, args)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except LipbenchError as error:
            terminal.say(f"Error: {error}", error=True)
            sys.exit(2)
        except KeyboardInterrupt:
            terminal.say("Stopped by SIGINT.", error=True)
            sys.exit(INTERRUPTED)


def _of_click(error: OSError) -> bool:
    """Whether click met it, as it wrote help or a version."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and str(last.tb_frame.f_globals.get("__name__")).startswith("click.")


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION)
def main() -> None:
    """Compare the ways of making a neural critic Lipschitz.

    \b
    lipbench run --methods wc,sn,gp,gn     train and measure: the same networks, data and seeds for all
    lipbench check ./nets.py:make          what each method makes of networks of your own
    lipbench new my_method.py              a method of your own, and `lipbench check ./my_method.py`
    lipbench audit ./critic.py:make        how steep any critic is: found, and proven
    lipbench report                        tables, figures and a page from the results
    """  # noqa: D301 - click keeps the lines after \b as they are


for command in (
    run.run,
    authors.check,
    authors.new,
    results.report,
    results.status,
    results.show,
    results.picture,
    results.merge,
    score.prepare,
    score.evaluate,
    audit.audit,
    networks.cost,
    *known.listing,
    known.protocols,
):
    main.add_command(command)
