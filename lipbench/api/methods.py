"""`check_method`: what every method must keep, for authors of methods; and which of `check`'s subjects is one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lipbench.api import arguments as asked
from lipbench.disk import places
from lipbench.errors import PluginError, UnknownNameError, near
from lipbench.interfaces.method import Method
from lipbench.launch.listener import Listener
from lipbench.plugins import card, own, registry
from lipbench.plugins.kinds import ARCHITECTURE, METHOD
from lipbench.plugins.names import Name, Names, expand_all
from lipbench.tools.authors.finding import Examined

STEPS = 300


@asked.checked
def check_method(
    method: str | Path | type[Method] | Method,
    *,
    datasets: Names | None = None,
    protocol: str | Path = "digits",
    overrides: Mapping[str, Any] | None = None,
    steps: int = STEPS,
    data_root: str | Path | None = None,
    listener: Listener | None = None,
) -> Examined:
    """Examine a method on the CPU, on networks that are quick to train: `lipbench.testing.check_method` says of what.

    Args:
        method: a path, a name, a class, or an instance.
        datasets: such as ``"digits"``; the protocol's own if None.
        protocol: a protocol's name, or the path of a TOML file.
        overrides: settings by dotted key, such as ``{"architecture": "mlp"}``.
        steps: of the training after which the guarantee is measured.
        data_root: where published data sets are, or go to; ``$LIPBENCH_DATA`` if None.
        listener: is told which check is made.

    Returns:
        A finding for each check: passed, failed or not applicable, with what was seen and the cure.

    Raises:
        RequestError: the request is wrong.
    """
    from lipbench.tools.authors.examine import examine

    given = _instance(method) if isinstance(method, type) else str(method) if isinstance(method, Path) else method
    with places.at(data_root, None):
        return examine(
            given, datasets=datasets, protocol=str(protocol), overrides=overrides, steps=steps, listener=listener
        )


def names_method(subject: str) -> bool:
    """Whether what is to be checked is a method, rather than networks: ``./nets.py:make`` or ``cnn-32``.

    Raises:
        RequestError: it is neither, or both.
    """
    names = expand_all(subject) if ":" not in subject else []
    if len(names) != 1:
        return False
    return any(_is_method(name) for name in names[0])


def _is_method(name: Name) -> bool:
    methods, architectures = (registry.installed(kind) for kind in (METHOD, ARCHITECTURE))
    if name.is_path:
        path = places.expanded(name.base)
        if not path.is_file() or path.suffix != ".py":
            return False  # networks are looked for, and the message knows both forms
        kinds = card.kinds(path, own.modules(path))
        if METHOD in kinds and ARCHITECTURE in kinds:
            raise PluginError(
                f"{name.base!r} defines a method and an architecture; expected a file for each, or {name.base}:make "
                f"for a function that makes networks"
            )
        if not kinds:
            raise PluginError(
                f"{name.base!r} defines neither a method nor an architecture; for a function in the file, expected the "
                f"form {name.base}:make; for a method, a class that derives from lipbench.Method"
            )
        return METHOD in kinds
    if METHOD.canonical(name.base) in methods or ARCHITECTURE.canonical(name.base) in architectures:
        return METHOD.canonical(name.base) in methods
    if not near(name.base, architectures) and near(name.base, methods):
        raise UnknownNameError("method", name.base, methods, "`lipbench methods` describes them.")
    return False


def _instance(kind: type[Method]) -> Method:
    try:
        return kind()
    except (TypeError, ValueError) as error:
        raise PluginError(
            f"{kind.__name__}() is refused: {error}; expected a class with a default for each parameter, or an instance"
        ) from error
