"""Finds plugins of every kind: installed ones by name, a user's own file by path.

Installed plugins are entry points whose value is a module or a package; a package's modules are its plugins, and the
file's stem is the plugin's name. Finding and listing import nothing; only `load` does.
"""

import importlib
import pkgutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from lipbench.disk.places import exists, expanded
from lipbench.errors import LipbenchError, PluginError, RequestError, UnknownNameError
from lipbench.plugins import agreement, own
from lipbench.plugins import card as cards
from lipbench.plugins.card import Card
from lipbench.plugins.classes import find_spec
from lipbench.plugins.importing import explained, import_file
from lipbench.plugins.kinds import DATASET, KINDS, Kind
from lipbench.plugins.names import Name
from lipbench.plugins.parameters import read_parameters
from lipbench.plugins.part import Part

Locate = Callable[[str], Path]


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

    @cached_property
    def card(self) -> Card:
        """What the file says about itself.

        Raises:
            PluginError: it is no such plugin.
        """
        return cards.read(self.path, self.kind, self.modules)


@dataclass(frozen=True)
class Resolved:
    """A plugin that was asked for, read once: what a cell holds of it, what its text says, and where its files are.

    Attributes:
        card: None for networks that a function makes.
        sources: the originals of the copies in the run folder, by the names of these.
    """

    part: Part
    card: Card | None = None
    sources: Mapping[str, Path] = field(default_factory=dict)


def resolve(kind: Kind, name: Name, copy: str | None = None) -> Resolved:
    """Find and read the plugin that is asked for.

    Args:
        kind: of plugins.
        name: with its parameters.
        copy: what the copy of a user's own file is called, without its ending; as its kind says if None.

    Raises:
        RequestError: it is not known, or cannot be used, or a parameter is not one of its own.
    """
    found = find(kind, name)
    part = Part(name=found.name, parameters=read_parameters(name, found.card))
    if found.module is not None:
        return Resolved(part, found.card)
    return copied(part, found.path, found.modules, copy or kind.copy, found.card)


def copied(part: Part, path: Path, modules: Mapping[str, Path], copy: str, described: Card | None = None) -> Resolved:
    """A plugin that is a user's own file, with the digests of what a run folder copies.

    Args:
        part: its name and parameters.
        path: the file.
        modules: what it imports of the user's own.
        copy: what its copy is called, without its ending.
        described: what its text says.
    """
    digests = {place: own.digest(file) for place, file in modules.items()}
    part = part.model_copy(update={"file": f"{copy}.py", "sha256": own.digest(path), "modules": digests})
    return Resolved(part, described, dict(zip(part.copies, (path, *modules.values()), strict=True)))


def installed(kind: Kind) -> dict[str, list[Found]]:
    """Every installed plugin by name; a name with more than one entry is taken twice."""
    found: dict[str, list[Found]] = {}
    for entry in _entries(tuple((path, _changed(path)) for path in sys.path))[kind]:
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
        raise _unknown(kind, name, known)
    if len(known[base]) > 1:
        places = ", ".join(str(plugin.path) for plugin in known[base])
        raise PluginError(f"{kind.word} {name.base!r} is defined twice: {places}; uninstall or rename one of them")
    return known[base][0]


def load(found: Found) -> type[Any]:
    """Import the plugin and return its class.

    Raises:
        PluginError: the file does not import, or its class is not what its text says.
    """
    described = found.card
    if found.module is None:
        module = import_file(found.path, found.modules)
    else:
        with explained(found.path):
            module = importlib.import_module(found.module)
    base = getattr(importlib.import_module("lipbench"), found.kind.base)
    return agreement.checked(module, described, base)


def create(kind: Kind, part: Part, locate: Locate) -> Any:
    """Import the plugin that a cell names, and make an instance with its parameters.

    Args:
        kind: of plugins.
        part: the plugin.
        locate: gives the path of a user's own file from its name in the run folder.

    Raises:
        PluginError: the file does not import, or was changed since it was planned.
        RequestError: it is not known, or the class refuses a value.
    """
    if part.file is None:
        found = find(kind, Name(part.name))
    else:
        path, modules = unchanged(part, locate)
        found = Found(kind, part.name, path, modules=modules)
    return instance(found, part.parameters)


def instance(found: Found, parameters: Mapping[str, Any]) -> Any:
    """Import a plugin and make an instance; errors as of `create`."""
    defined = load(found)
    try:
        return defined(**parameters)
    except (TypeError, ValueError) as error:
        given = ",".join(f"{key}={value}" for key, value in parameters.items())
        raise RequestError(f"{found.kind.word} {found.name}[{given}] is refused: {error}") from error


def unchanged(part: Part, locate: Locate) -> tuple[Path, dict[str, Path]]:
    """The user's own file and its modules by their places, all as they were when they were planned.

    Raises:
        PluginError: one is missing, or was changed.
    """
    files = [locate(name) for name in part.copies]
    for path, planned in zip(files, part.copies.values(), strict=True):
        try:
            present = own.digest(path)
        except FileNotFoundError:
            raise PluginError(f"{str(path)!r} is missing; restore it, or give the command again") from None
        if present != planned:
            raise PluginError(f"{str(path)!r} was changed after the run was planned; give the command again")
    return files[0], dict(zip(part.modules, files[1:], strict=True))


def _unknown(kind: Kind, name: Name, known: Mapping[str, list[Found]]) -> UnknownNameError:
    """What to say of a name that is not known: what may be meant, be it a plugin of another kind."""
    cures = [f"`lipbench {kind.plural}` describes them."]
    cures += [
        f"{name.base} is {'an' if other.word[0] in 'aeiou' else 'a'} {other.word}: {other.given.format(name.base)}."
        for other in KINDS
        if other is not kind and other.canonical(name.base) in installed(other)
    ]
    cures.append(_folder(kind, name) or f"A file of your own is named by its path: ./my_{kind.copy}.py.")
    aliases: dict[str, str] = {}
    for title, places in known.items():
        try:
            aliases |= dict.fromkeys(places[0].card.aliases, title)
        except LipbenchError:  # said where the plugin itself is asked for
            continue
    return UnknownNameError(kind.word, name.base, known, " ".join(cures), aliases)


def _folder(kind: Kind, name: Name) -> str:
    """How the pictures of a folder are named, where a data set's name is that of a folder."""
    if kind is DATASET and exists(name.base) and expanded(name.base).is_dir():
        return f"As a folder of pictures it is named '{Name('folder', (('path', name.base), ('size', '32')))}'."
    return ""


@cache  # every look-up would read the metadata of all that is installed
def _entries(folders: tuple[tuple[str, int], ...]) -> dict[Kind, list[EntryPoint]]:
    """The entry points of each kind, in folders of modules that were changed at these times."""
    found = entry_points()
    return {kind: list(found.select(group=kind.group)) for kind in KINDS}


def _changed(folder: str) -> int:
    try:
        return Path(folder).stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


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
