"""The command that started this process, as it is recorded beside a run."""

import sys
from pathlib import Path


def command_line() -> list[str]:
    """What was typed, without the folders of this machine; nothing where nobody typed a command.

    In a notebook or an interpreter the arguments of the process are those of whatever serves it, private paths among
    them. There the main module is of no file.
    """
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    if file is None or not sys.argv or Path(file).name != Path(sys.argv[0]).name:
        return []
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return ["python", "-m", spec.name.removesuffix(".__main__"), *sys.argv[1:]]
    name = Path(file).name
    return [*(["python"] if name.endswith(".py") else []), name, *sys.argv[1:]]
