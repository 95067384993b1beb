"""Finds methods and datasets: installed plugins by name, a user's own file by path.

Installed plugins are entry points whose value is a module or a package; a package's modules are its plugins, and the
file's stem is the plugin's name. Finding and listing import nothing; only `load` does.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from lipbench.disk.places import exists, expanded
from lipbench.errors import LipbenchError, PluginError, RequestError, UnknownNameError
from lipbench.plugins import agreement, card, own
from lipbench.plugins.classes import find_spec
from lipbench.plugins.importing import explained, import_file
from lipbench.plugins.names import Name


@dataclass(frozen=True)
class Kind:
    """A kind of plugin.

    Attributes:
        word: for people.
        group: of entry points.
        base: the class that plugins derive from.
        separator: between the words of a name; Python's modules can have underscores alone.
    """

    word: str
    group: str
    base: str
    separator: str

    def canonical(self, stem: str) -> str:
        """The name of an installed plugin, however its words are joined."""
        return stem.replace("-", "_").replace("_", self.separator)

    @property
    def command(self) -> str:
        """The command that lists what is known."""
        return f"lipbench {self.word}s"


METHOD = Kind("method", "lipbench.methods", "Method", "_")
DATASET = Kind("dataset", "lipbench.datasets", "Dataset", "-")


@dataclass(frozen=True)
class Found:
    """Where a plugin is: its name and its file.

    Attributes:
        module: to import; None for a user's own file.
        modules: what a user's own file imports of the user's own, as `own.modules` finds it.
    """

    kind: Kind
    name: str
    path: Path
    module: str | None = None
    modules: Mapping[str, Path] = field(default_factory=dict)

    def card(self) -> card.Card:
        """What the file says about itself."""
        return card.read(self.path, self.kind.base, self.modules)


def installed(kind: Kind) -> dict[str, list[Found]]:
    """Every installed plugin by name; a name with more than one entry is taken twice."""
    found: dict[str, list[Found]] = {}
    for entry in entry_points(group=kind.group):
        for plugin in _plugins_of(kind, entry):
            if plugin not in found.setdefault(plugin.name, []):
                found[plugin.name].append(plugin)
    return dict(sorted(found.items()))


def find(kind: Kind, name: Name) -> Found:
    """Find the plugin that `name` stands for.

    Raises:
        UnknownNameError: no installed plugin has this name.
        PluginError: two have it, or a user's own file bears the name of an installed plugin or is not Python.
    """
    known = installed(kind)
    if name.is_path:
        path = expanded(name.base)
        if path.suffix != ".py":
            cure = _folder(kind, name) or "expected a path that ends in .py"
            raise PluginError(f"{name.base!r} is not a Python file; {cure}")
        if kind.canonical(name.stem) in known:
            raise PluginError(
                f"{name.base!r} would be called {name.stem!r}, which is the name of an installed {kind.word}; "
                f"rename the file so that reports can tell the two apart"
            )
        return Found(kind, name.stem, path, modules=own.modules(path))
    base = kind.canonical(name.base)
    if base not in known:
        hint = _folder(kind, name) or f"A file of your own is named by its path: ./my_{kind.base.lower()}.py."
        raise UnknownNameError(kind.word, name.base, known, f"`{kind.command}` describes them. {hint}", _aliases(known))
    if len(known[base]) > 1:
        places = ", ".join(str(plugin.path) for plugin in known[base])
        raise PluginError(f"{kind.word} {name.base!r} is defined twice: {places}; uninstall or rename one of them")
    return known[base][0]


def load(found: Found) -> type[Any]:
    """Import the plugin and return its class.

    Raises:
        PluginError: the file does not import, or its class is not what its text says.
    """
    described = found.card()
    if found.module is None:
        module = import_file(found.path, found.modules)
    else:
        with explained(found.path):
            module = importlib.import_module(found.module)
    base = getattr(importlib.import_module("lipbench"), found.kind.base)
    return agreement.checked(module, described, base)


def create(found: Found, parameters: dict[str, Any]) -> Any:
    """Import the plugin and make an instance with these parameters.

    Raises:
        PluginError: the file does not import.
        RequestError: the class refuses a value.
    """
    defined = load(found)
    try:
        return defined(**parameters)
    except (TypeError, ValueError) as error:
        given = ",".join(f"{key}={value}" for key, value in parameters.items())
        raise RequestError(f"{found.kind.word} {found.name}[{given}] is refused: {error}") from error


def _aliases(known: dict[str, list[Found]]) -> dict[str, str]:
    """The other names that installed plugins give for themselves."""
    found: dict[str, str] = {}
    for name, places in known.items():
        try:
            found |= dict.fromkeys(places[0].card().aliases, name)
        except LipbenchError:  # said where the plugin itself is asked for
            continue
    return found


def _folder(kind: Kind, name: Name) -> str:
    """How the pictures of a folder are named, where a data set's name is that of a folder."""
    if kind is DATASET and exists(name.base) and expanded(name.base).is_dir():
        return f"as a folder of pictures it is named '{Name('folder', (('path', name.base), ('size', '32')))}'"
    return ""


def _plugins_of(kind: Kind, entry: EntryPoint) -> list[Found]:
    spec = find_spec(entry.module)
    if spec is None or spec.origin is None:
        return []
    if spec.submodule_search_locations is None:
        return [Found(kind, kind.canonical(Path(spec.origin).stem), Path(spec.origin), entry.module)]
    return [
        Found(kind, kind.canonical(module.name), Path(folder) / f"{module.name}.py", f"{entry.module}.{module.name}")
        for folder in spec.submodule_search_locations
        for module in pkgutil.iter_modules([folder])
        if not module.ispkg and not module.name.startswith("_")
    ]
