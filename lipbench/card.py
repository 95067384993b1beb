"""What a plugin file says about itself, read from its text: nothing is imported.

So ``lipbench methods`` and the planning of a run are quick, and a plugin that does not import can still be listed.
"""

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lipbench.errors import PluginError

TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "str": str}
MISSING: Any = object()  # the default of a parameter that has none


@dataclass(frozen=True)
class Parameter:
    """A hyper-parameter: its name, its type's name as written, and its default."""

    name: str
    type: str
    default: Any

    def __str__(self) -> str:
        return f"{self.name}: {self.type}" + ("" if self.default is MISSING else f" = {self.default!r}")


@dataclass(frozen=True)
class Card:
    """A plugin's name, description and parameters.

    Attributes:
        fields: the ``Key: value`` lines of the docstring, keys in lower case (formula, paper, source).
        constants: plain class attributes with a literal value (guarantee, recommended).
        hooks: the methods that the class defines.
    """

    name: str
    path: Path
    summary: str
    class_name: str
    fields: dict[str, str] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()
    hooks: frozenset[str] = frozenset()


def read(path: Path, kind: str) -> Card:
    """Read the one plugin class that the file at `path` defines.

    Args:
        path: a Python file.
        kind: what it should define: ``"Method"`` or ``"Dataset"``.

    Raises:
        PluginError: the file is missing, is not Python, or defines no class of this kind, or several.
    """
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except FileNotFoundError:
        raise PluginError(f"there is no file {str(path)!r}; expected a Python file that defines a {kind}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PluginError(f"{str(path)!r} cannot be read: {error}") from None
    except (SyntaxError, ValueError) as error:
        line = f" (line {error.lineno})" if isinstance(error, SyntaxError) else ""
        raise PluginError(f"{str(path)!r} is not valid Python{line}: {getattr(error, 'msg', error)}") from None
    bases = _inherited(tree, path, kind)
    found = [node for node in tree.body if isinstance(node, ast.ClassDef) and bases.keys() & set(_base_names(node))]
    if len(found) != 1:
        names = ", ".join(node.name for node in found) or "none"
        raise PluginError(
            f"{str(path)!r} defines {len(found)} {kind.lower()}s ({names}); expected exactly one class that derives "
            f"from lipbench.{kind}. Give each its own file."
        )
    return _describe(found[0], tree, path, bases[next(name for name in _base_names(found[0]) if name in bases)])


def _base_names(node: ast.ClassDef) -> list[str]:
    return [base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases]


def _inherited(tree: ast.Module, path: Path, kind: str) -> dict[str, Card | None]:
    """Name each class that a plugin here may derive from: the interface itself, or a sibling file's plugin."""
    bases: dict[str, Card | None] = {kind: None}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            sibling = path.parent / f"{node.module}.py"
            if sibling != path and sibling.is_file():
                card = read(sibling, kind)
                bases |= {alias.asname or alias.name: card for alias in node.names if alias.name == card.class_name}
    return bases


def _describe(node: ast.ClassDef, tree: ast.Module, path: Path, base: Card | None) -> Card:
    described = (ast.get_docstring(tree) or ast.get_docstring(node) or "").strip()
    summary = " ".join(described.split("\n\n")[0].split())
    fields = dict(base.fields) if base else {}
    for line in described.splitlines():
        key, colon, value = line.partition(": ")
        if colon and key.isalpha() and key.istitle():
            fields[key.lower()] = value.strip()
    parameters = {parameter.name: parameter for parameter in (base.parameters if base else ())}
    constants = dict(base.constants) if base else {}
    hooks = set(base.hooks) if base else set()
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            hooks.add(item.name)
        elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            annotation = ast.unparse(item.annotation)
            if "ClassVar" in annotation:
                constants[item.target.id] = _literal(item.value)
            else:
                default = MISSING if item.value is None else _literal(item.value)
                parameters[item.target.id] = Parameter(item.target.id, annotation, default)
        elif isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
            if item.targets[0].id in {"every", *parameters}:
                given = ast.unparse(item)
                raise PluginError(
                    f"{str(path)!r} sets {given} without a type; write it as a field, such as every: int = 4"
                )
            constants[item.targets[0].id] = _literal(item.value)
    if hooks & {"penalty", "regulariser"}:
        parameters.setdefault("every", Parameter("every", "int", 1))
    return Card(
        name=path.stem,
        path=path,
        summary=summary,
        class_name=node.name,
        fields=fields,
        constants=constants,
        parameters=tuple(parameters.values()),
        hooks=frozenset(hooks),
    )


def _literal(node: ast.expr | None) -> Any:
    try:
        return ast.literal_eval(node) if node is not None else None
    except ValueError:
        return ast.unparse(node) if node is not None else None
