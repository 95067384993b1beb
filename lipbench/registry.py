"""Finds methods and datasets: installed plugins by name, a user's own file by path.

Installed plugins are entry points whose value is a module or a package; a package's modules are its plugins, and the
file's stem is the plugin's name. Finding and listing import nothing; only `load` does.
"""

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from lipbench import card
from lipbench.errors import PluginError, RequestError, UnknownNameError
from lipbench.names import Name
from lipbench.places import expanded


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
    """Where a plugin is: its name, its file, and the module to import (None for a user's own file)."""

    kind: Kind
    name: str
    path: Path
    module: str | None = None

    def card(self) -> card.Card:
        """What the file says about itself."""
        return card.read(self.path, self.kind.base)


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
        PluginError: two have it, or a user's own file bears the name of an installed plugin.
    """
    known = installed(kind)
    if name.is_path:
        path = expanded(name.base)
        if path.suffix != ".py":
            raise PluginError(f"{name.base!r} is not a Python file; expected a path that ends in .py")
        if kind.canonical(name.stem) in known:
            raise PluginError(
                f"{name.base!r} would be called {name.stem!r}, which is the name of an installed {kind.word}; "
                f"rename the file so that reports can tell the two apart"
            )
        return Found(kind, name.stem, path)
    base = kind.canonical(name.base)
    if base not in known:
        near = " A file of your own is named by its path: ./my_method.py."
        raise UnknownNameError(kind.word, name.base, known, f"`{kind.command}` describes them.{near}")
    if len(known[base]) > 1:
        places = ", ".join(str(plugin.path) for plugin in known[base])
        raise PluginError(f"{kind.word} {name.base!r} is defined twice: {places}; uninstall or rename one of them")
    return known[base][0]


def load(found: Found) -> type[Any]:
    """Import the plugin and return its class.

    Raises:
        PluginError: the file does not import, or its class does not derive from the interface.
    """
    described = found.card()
    if found.module is None:
        module = import_file(found.path)
    else:
        with _explained(found.path):
            module = importlib.import_module(found.module)
    defined = getattr(module, described.class_name, None)
    base = getattr(importlib.import_module("lipbench"), found.kind.base)
    if not (isinstance(defined, type) and issubclass(defined, base)):
        raise PluginError(
            f"{described.class_name} in {str(found.path)!r} does not derive from lipbench.{base.__name__}"
        )
    return defined


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


def digest(path: Path) -> str:
    """The sha256 of a file, in hex."""
    return sha256(path.read_bytes()).hexdigest()


def _plugins_of(kind: Kind, entry: EntryPoint) -> list[Found]:
    spec = _spec(entry.module)
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


def _spec(module: str) -> ModuleSpec | None:
    """Find a module as `importlib.util.find_spec` does, but without importing its parents."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:  # a module without a spec, such as __main__
        return None
    name = top
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    return spec


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise PluginError(
            f"{str(path)!r} does not import: {type(error).__name__}: {error}. A file of your own must stand alone "
            f"(relative imports work only inside an installed package)."
        ) from error


@cache
def import_file(path: Path) -> Any:
    """Import a user's own Python file, once.

    Raises:
        PluginError: it does not import.
    """
    name = f"lipbench_file_{digest(path)[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None  # the path ends in .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up by name
    try:
        with _explained(path):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
