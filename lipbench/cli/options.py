"""Options that several commands share."""

import os
from pathlib import Path
from typing import Any

import click

from lipbench.errors import RequestError

results = click.option(
    "--results",
    type=click.Path(path_type=Path),
    default="results",
    show_default=True,
    help="The results folder.",
)
data_root = click.option(
    "--data-root",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="LIPBENCH_DATA",
    show_envvar=True,
    help="Where published data sets are, or go to.",
)
inception_weights = click.option(
    "--inception-weights",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="LIPBENCH_INCEPTION",
    show_envvar=True,
    help="A file; downloaded by torch-fidelity if left out.",
)


def _in_a_folder(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """Refuse a place that cannot be written to before anything is measured."""
    if path is None:
        return None
    try:
        if path.exists() and not path.is_file():
            raise RequestError(f"--json is given {str(path)!r}, which is no file; expected a path such as out.json")
        if not path.parent.is_dir():
            raise RequestError(f"there is no folder {str(path.parent)!r} for {path.name}; make it first")
    except OSError as error:
        raise RequestError(f"--json is given {str(path)!r}: {error.strerror}; expected another path") from None
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise RequestError(f"the folder {str(path.parent)!r} is not writable; expected another path for --json")
    return path


json_file = click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path),
    callback=_in_a_folder,
    help="Write the records there as well.",
)
device = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:0 …")


def _settings(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, Any]:
    """Settings by dotted key; of one that is given twice, the last holds."""
    from lipbench.request.protocol import read_setting

    return dict(read_setting(text) for text in texts)


overrides = click.option(
    "--set",
    "overrides",
    multiple=True,
    callback=_settings,
    metavar="KEY=VALUE",
    help="A setting of the protocol, such as evaluate.samples=10000; may be given several times.",
)
precision = click.option(
    "--precision",
    type=click.Choice(["float32", "tf32", "bfloat16"]),
    help="In which the networks compute.  [default: float32]",
)
