"""Imports a user's own file, with the modules of the user's own that it needs, apart from everything else.

The file becomes a package whose name goes by the texts, and its modules become modules in it. Nothing is left under the
names by which the texts call each other, so that two runs with different modules of one name never see each other's.
"""

import builtins
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from lipbench.errors import PluginError
from lipbench.plugins import own
from lipbench.plugins.explain import OWN, explain

CURE = (
    "Modules of your own are found where an import statement names them: beside the file, in the folders of PYTHONPATH "
    "or in the present folder; a relative import cannot lead out of the file's folder"
)


def import_file(path: Path, modules: Mapping[str, Path] | None = None) -> Any:
    """Import a user's own Python file, once for each text that it and its modules have had.

    Args:
        path: the file.
        modules: what it imports of the user's own, as `own.modules` finds it.

    Raises:
        PluginError: it does not import.
    """
    places = tuple((modules or {}).items())
    return _import(path, places, own.version(own.digest(path), {place: own.digest(file) for place, file in places}))


@cache
def _import(path: Path, places: tuple[tuple[str, Path], ...], version: str) -> Any:
    name = f"{OWN}{version[:16]}"
    _forget(name)  # the same texts from another folder
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    package = _FINDER.packages[name] = _Package(name, path, dict(places))
    spec = package.find("")
    assert spec is not None and spec.loader is not None  # the file itself
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up by name
    try:
        with explained(path, *(file for _, file in places)):
            spec.loader.exec_module(module)
    except BaseException:
        _forget(name)
        raise
    return module


def _forget(name: str) -> None:
    for known in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
        del sys.modules[known]


@contextmanager
def explained(path: Path, *modules: Path) -> Iterator[None]:
    """Make a sentence of what importing a file raises, with the line in it or in one of its modules.

    Raises:
        PluginError: the block raised anything.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        said = explain(error, {file: file for file in (path, *modules)})
        cure = f" {CURE}." if isinstance(error, ImportError) else ""
        raise PluginError(f"{str(path)!r} does not import: {said}.{cure}") from error


class _Fresh(SourceFileLoader):
    """Compiles the text as it was when its digest was taken.

    Bytecode beside a file is told apart by seconds and size, and an edit may change neither. An import in a function
    comes when the file may be gone.
    """

    def __init__(self, name: str, path: Path, scope: dict[str, Any]) -> None:
        super().__init__(name, str(path))
        self._text, self._scope = path.read_bytes(), scope

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._text, self.path)

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = self._scope  # where an import statement finds `__import__`
        super().exec_module(module)


class _Package:
    """A user's file and its modules.

    Args:
        name: of the package.
        path: the file, which is the package itself.
        modules: the file of each module by its place, such as ``models/blocks.py``.
    """

    def __init__(self, name: str, path: Path, modules: Mapping[str, Path]) -> None:
        self._name = name
        self._tops = {place.partition("/")[0].removesuffix(".py") for place in modules} - own.LIBRARY
        scope = {**vars(builtins), "__import__": self._import} if self._tops else vars(builtins)
        self._loaders = {"": (_Fresh(name, path, scope), True)}
        for place, file in modules.items():
            stem = place.removesuffix(".py")
            inner = stem.removesuffix("/__init__").replace("/", ".")
            self._loaders[inner] = (_Fresh(f"{name}.{inner}", file, scope), stem.endswith("/__init__"))

    def find(self, inner: str) -> ModuleSpec:
        """How a module is loaded.

        Args:
            inner: its name in the package; empty for the file itself.

        Raises:
            ModuleNotFoundError: there is none.
        """
        name = f"{self._name}.{inner}" if inner else self._name
        if inner in self._loaders:
            loader, packaged = self._loaders[inner]
            spec = ModuleSpec(name, loader, origin=loader.path, is_package=packaged)
            spec.has_location = True  # so that the module has a `__file__`
            return spec
        if any(known.startswith(f"{inner}.") for known in self._loaders):  # a folder without a text
            return ModuleSpec(name, None, is_package=True)
        raise ModuleNotFoundError(f"No module named {inner!r}", name=name)

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Import as a text says: its own modules come from the package."""
        top = name.partition(".")[0]
        if level or top not in self._tops:
            return __import__(name, globals, locals, fromlist or (), level)
        found = __import__(f"{self._name}.{name}", globals, locals, fromlist or ())
        return found if fromlist else sys.modules[f"{self._name}.{top}"]


class _Finder(MetaPathFinder):
    """Finds the modules of users' files."""

    def __init__(self) -> None:
        self.packages: dict[str, _Package] = {}

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        root, _, inner = fullname.partition(".")
        return self.packages[root].find(inner) if root in self.packages else None


_FINDER = _Finder()
