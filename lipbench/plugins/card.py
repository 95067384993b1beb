"""What a plugin file says about itself, read from its text: nothing is imported.

So ``lipbench methods`` and the planning of a run are quick, and a plugin that does not import can still be listed.
"""

import ast
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lipbench.errors import PluginError
from lipbench.plugins import classes
from lipbench.plugins.body import Body
from lipbench.plugins.classes import Class
from lipbench.plugins.interface import Interface, Parameter
from lipbench.plugins.kinds import BY_BASE, KINDS, Kind

PACKAGE = Path(__file__).parents[1]
LAZY = {"penalty", "regulariser"}  # the hooks that `every` makes rarer


@dataclass(frozen=True)
class Card:
    """A plugin's name, description and parameters.

    Attributes:
        fields: the ``Key: value`` lines of the docstring, keys in lower case (formula, paper, source, also).
        constants: class attributes that are no parameters, with their literal values (guarantee, recommended).
        reserved: the names of constants that have a meaning to lipbench.
        hooks: the hooks of the interface that the class defines or inherits from another plugin.
    """

    name: str
    path: Path
    summary: str
    class_name: str
    fields: dict[str, str] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    reserved: frozenset[str] = frozenset()
    parameters: tuple[Parameter, ...] = ()
    hooks: frozenset[str] = frozenset()

    @property
    def aliases(self) -> list[str]:
        """Other names, under which nothing is found but a suggestion: those of the line ``Also:``."""
        return [name.strip() for name in self.fields.get("also", "").split(",") if name.strip()]


def read(path: Path, kind: Kind, modules: Mapping[str, Path] | None = None) -> Card:
    """Read the one plugin class that the file at `path` defines.

    Args:
        path: a Python file.
        kind: what it should define.
        modules: what it imports of the user's own, as `own.modules` finds it.

    Raises:
        PluginError: the file is missing, is not Python, or defines no class of this kind, or several; or the class
            says what cannot be meant.
    """
    base, interface = _interface(kind)
    source = classes.read(path, modules)
    _check_places(source, interface)
    leaf, ancestors = _only(source, base)
    parameters: dict[str, Parameter] = {}
    constants: dict[str, Any] = {}
    hooks: set[str] = set()
    for ancestor in reversed(ancestors):
        plugin = base in classes.lineage(ancestor)[0]
        body = Body.read(ancestor, interface, interface.fields | parameters, plugin=plugin)
        parameters |= body.fields
        constants |= body.constants
        hooks |= body.hooks
    if hooks & LAZY:
        parameters = {**parameters, **{name: parameters.get(name, field) for name, field in interface.fields.items()}}
    card = Card(
        name=path.stem,
        path=path,
        summary=" ".join(_described(leaf).split("\n\n")[0].split()),
        class_name=leaf.name,
        fields=_fields(leaf, ancestors),
        constants=constants,
        reserved=frozenset(interface.variables),
        parameters=tuple(parameters.values()),
        hooks=frozenset(hooks),
    )
    interface.check(card.hooks, card.constants, f"{leaf.name} in {str(path)!r}")
    return card


@cache
def _interface(kind: Kind) -> tuple[Class, Interface]:
    """The class of `lipbench` that plugins of a kind derive from."""
    base = classes.read(PACKAGE / "__init__.py").find(kind.base)
    assert isinstance(base, Class)
    return base, Interface.of(base.node)


def _only(source: classes.Source, base: Class) -> tuple[Class, list[Class]]:
    """The one plugin class of a file, and it and its ancestors below `base` in the order of look-up."""
    kind = BY_BASE[base.name]
    plugins: dict[Class, list[Class]] = {}
    lost: list[str] = []
    for found in source.classes():
        line, unfollowed = classes.lineage(found)
        lost += unfollowed
        if base in line[1:]:
            above = set(classes.lineage(base)[0])
            plugins[found] = [ancestor for ancestor in line if ancestor not in above]
    derived = {ancestor for line in plugins.values() for ancestor in line[1:]}
    leaves = [found for found in plugins if found not in derived and not found.name.startswith("_")]
    file = repr(str(source.path))
    if len(leaves) > 1:
        names = ", ".join(found.name for found in leaves)
        raise PluginError(
            f"{file} defines {len(leaves)} {kind.many} ({names}); expected exactly one class that derives from "
            f"lipbench.{kind.base} and from which no other does. Give each its own file, or begin the names of the "
            f"others with an underscore"
        )
    if not leaves and plugins:
        names = ", ".join(found.name for found in plugins)
        raise PluginError(
            f"{file} defines {kind.many} of private names alone ({names}); expected one without the underscore"
        )
    if not leaves and lost:
        raise PluginError(
            f"no {kind.word} can be found in {file}: {'; '.join(lost)}. Expected classes of the file itself, of "
            f"modules beside it or on PYTHONPATH, or of what is installed"
        )
    if not leaves:
        raise PluginError(
            f"{file} defines 0 {kind.many}{_another(source, base)}; expected exactly one class that derives from "
            f"lipbench.{kind.base}: from lipbench import {kind.base}"
        )
    return leaves[0], plugins[leaves[0]]


def kinds(path: Path, modules: Mapping[str, Path] | None = None) -> list[Kind]:
    """The kinds of plugins of which a file defines any; arguments as of `read`.

    Raises:
        PluginError: the file is missing, or is not Python.
    """
    return _kinds(classes.read(path, modules))


def _kinds(source: classes.Source) -> list[Kind]:
    above = [ancestor for found in source.classes() for ancestor in classes.lineage(found)[0][1:]]
    return [kind for kind in KINDS if _interface(kind)[0] in above]


def _another(source: classes.Source, base: Class) -> str:
    """What else a file defines, for the message: a plugin of another kind."""
    for kind in _kinds(source):
        if kind.base != base.name:
            place = source.path if source.path.is_absolute() else f"./{source.path}"
            return f", but a {kind.word}, which is asked for by {kind.given.format(shlex.quote(str(place)))}"
    return ""


def _check_places(source: classes.Source, interface: Interface) -> None:
    """See that each hook stands in a class: a slip of indentation takes it out, and what is inherited would run."""
    owners = [node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]
    inside = {id(item) for owner in owners for item in classes.statements(owner.body)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef) and id(node) not in inside and node.args.args[:1]:
            name = interface.spellings.get(node.name, node.name)
            if name in interface.hooks and node.args.args[0].arg == "self":
                raise PluginError(
                    f"{node.name} in {str(source.path)!r}, line {node.lineno}, stands in no class, hence is no hook of "
                    f"one; indent it as the functions of the class are"
                )


def _described(of: Class) -> str:
    return (ast.get_docstring(of.source.tree) or ast.get_docstring(of.node) or "").strip()


def _fields(leaf: Class, ancestors: list[Class]) -> dict[str, str]:
    """The ``Key: value`` lines of the docstrings; other names of an ancestor are not those of what derives from it."""
    found: dict[str, str] = {}
    for ancestor in reversed(ancestors):
        found.pop("also", None)
        for line in _described(ancestor).splitlines():
            key, colon, value = line.partition(": ")
            if colon and key.isalpha() and key.istitle():
                found[key.lower()] = value.strip()
    return found
