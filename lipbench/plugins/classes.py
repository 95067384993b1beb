"""The classes of a Python file and what they derive from, followed through imports. Nothing is imported."""

import ast
import builtins
import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from lipbench.errors import PluginError

ALL = 10**9  # a line after every other


class NotFollowed(Exception):  # noqa: N818 - becomes part of a message
    """What a name stands for cannot be read; the text says why."""


@dataclass(frozen=True)
class Class:
    """A class statement and the file in which it stands."""

    source: "Source"
    node: ast.ClassDef = field(compare=False)  # another one each time that the file is read
    line: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "line", self.node.lineno)

    @property
    def name(self) -> str:
        """As it is written."""
        return self.node.name


@dataclass(frozen=True)
class Source:
    """A Python file and its syntax tree.

    Attributes:
        modules: what a user's own file imports of the user's own, as `own.modules` finds it.
        package: in which of these it is; empty for the file itself.
    """

    path: Path
    tree: ast.Module = field(compare=False)
    modules: Mapping[str, Path] = field(compare=False, default_factory=dict)
    package: str = ""

    def classes(self) -> list[Class]:
        """Every class that importing the file may define, in the order written."""
        return [Class(self, node) for node in statements(self.tree.body) if isinstance(node, ast.ClassDef)]

    def find(self, name: str, before: int = ALL) -> "Class | Source":
        """What a name stands for at a line.

        Raises:
            NotFollowed: it is neither a class nor a module, or its import cannot be followed.
        """
        stars = []
        for node in reversed([node for node in statements(self.tree.body) if node.lineno < before]):
            if isinstance(node, ast.ClassDef) and node.name == name:
                return Class(self, node)
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if (alias.asname or alias.name.partition(".")[0]) == name:
                        return self._module(alias.name if alias.asname else name)
            if isinstance(node, ast.ImportFrom):
                stars += [node] if node.names[0].name == "*" else []
                for alias in node.names:
                    if (alias.asname or alias.name) == name and (module := self._of(node)) != self:
                        return module.find(alias.name)
            if isinstance(node, ast.Assign) and name in [getattr(target, "id", "") for target in node.targets]:
                return self.resolve(node.value, node.lineno)
        if self.path.name == "__init__.py" and (inner := self._inside(name)) is not None:
            return inner
        for star in stars:
            try:
                return self._of(star).find(name)
            except NotFollowed:
                continue
        raise NotFollowed(f"{self.path.name} neither defines nor imports {name}")

    def resolve(self, expression: ast.expr, before: int) -> "Class | Source":
        """What an expression such as ``Method``, ``lb.Method`` or ``Base[int]`` stands for; errors as of `find`."""
        if isinstance(expression, ast.Name):
            return self.find(expression.id, before)
        if isinstance(expression, ast.Subscript):
            return self.resolve(expression.value, before)
        if isinstance(expression, ast.Attribute):
            found = self.resolve(expression.value, before)
            if isinstance(found, Source):
                return found.find(expression.attr)
        raise NotFollowed(f"{ast.unparse(expression)} is not the name of a class")

    def _own(self, name: str) -> "Source | None":
        """One of the user's own modules."""
        stem = name.replace(".", "/")
        for place, package in ((f"{stem}/__init__.py", name), (f"{stem}.py", name.rpartition(".")[0])):
            if place in self.modules:
                return read(self.modules[place], self.modules, package)
        return None

    def _inside(self, name: str) -> "Source | None":
        """A module of the package of which this is the file."""
        inner = file_of(name, [self.path.parent])
        return self._own(f"{self.package}.{name}") or (None if inner is None else read(inner))

    def _of(self, node: ast.ImportFrom) -> "Source":
        name = node.module or ""
        if not node.level:
            return self._module(name)
        above = self.package.split(".")[: 1 - node.level or None]
        if found := self._own(".".join(part for part in (*above, name) if part)):
            return found
        folder = self.path.parents[node.level - 1]
        *inner, last = name.split(".")
        path = file_of(last, [folder.joinpath(*inner)]) if name else folder / "__init__.py"
        if path is None or not path.is_file():
            raise NotFollowed(f"there is no module {'.' * node.level}{name} beside {self.path.name}")
        return read(path)

    def _module(self, name: str) -> "Source":
        if found := self._own(name):
            return found
        spec = find_spec(name)
        if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            raise NotFollowed(f"there is no Python module {name} beside {self.path.name} and none is installed")
        return read(Path(spec.origin))


def read(path: Path, modules: Mapping[str, Path] | None = None, package: str = "") -> Source:
    """Read a Python file in the encoding that it declares; UTF-8 if it declares none.

    Args:
        path: the file.
        modules: what it imports of the user's own, as `own.modules` finds it.
        package: in which of these it is; empty for the file itself.

    Raises:
        PluginError: it is missing, or is not Python.
    """
    try:
        return Source(path, _parse(path.read_bytes()), modules or {}, package)
    except FileNotFoundError:
        raise PluginError(f"there is no file {str(path)!r}; expected a Python file") from None
    except OSError as error:
        raise PluginError(f"{str(path)!r} cannot be read: {error}") from None
    except (SyntaxError, ValueError) as error:
        line = f" (line {error.lineno})" if isinstance(error, SyntaxError) and error.lineno else ""
        raise PluginError(f"{str(path)!r} is not valid Python{line}: {getattr(error, 'msg', error)}") from None


@lru_cache(maxsize=256)
def _parse(text: bytes) -> ast.Module:
    return ast.parse(text)


def lineage(leaf: Class) -> tuple[list[Class], list[str]]:
    """A class and all that it derives from, in the order in which Python looks attributes up.

    Returns:
        The classes, and for each base that cannot be followed a text that says why.

    Raises:
        PluginError: Python knows no such order.
    """
    lost: list[str] = []
    twins: dict[Class, type] = {}

    def twin(of: Class) -> type:
        """An empty class with the same bases: Python itself orders them."""
        if of not in twins:
            twins[of] = object  # where a class would derive from itself
            twins[of] = type(of.name, tuple(map(twin, _bases(of, lost))), {})
        return twins[of]

    try:
        order = twin(leaf).__mro__
    except TypeError as error:
        raise PluginError(f"{leaf.name} in {str(leaf.source.path)!r} cannot be a class: {error}") from None
    real = {id(stands): of for of, stands in twins.items()}
    return [real[id(stands)] for stands in order if id(stands) in real], lost


def _bases(of: Class, lost: list[str]) -> Iterator[Class]:
    for base in of.node.bases:
        if isinstance(base, ast.Name) and hasattr(builtins, base.id):
            continue
        try:
            found = of.source.resolve(base, of.node.lineno)
        except (NotFollowed, PluginError, RecursionError) as error:
            why = "its imports lead in a circle" if isinstance(error, RecursionError) else error
            lost.append(f"{of.name} derives from {ast.unparse(base)}, which cannot be followed: {why}")
            continue
        if isinstance(found, Class):
            yield found


def statements(body: Iterable[ast.AST]) -> Iterator[ast.stmt]:
    """Every statement of a module outside of functions and classes."""
    for node in body:
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for part in ("body", "handlers", "orelse", "finalbody", "cases"):
                yield from statements(getattr(node, part, []))


def file_of(name: str, folders: Iterable[Path]) -> Path | None:
    """The file of a module in the first of the folders that has it; a package comes before a plain module."""
    places = (path for folder in folders for path in (folder / name / "__init__.py", folder / f"{name}.py"))
    return next((path for path in places if path.is_file()), None)


def find_spec(module: str) -> ModuleSpec | None:
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
