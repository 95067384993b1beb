"""What the body of one plugin class says, held against the interface that it derives from."""

import ast
from dataclasses import dataclass, field
from typing import Any

from lipbench.errors import PluginError, near
from lipbench.interfaces.plugin import MISSING
from lipbench.plugins.classes import Class
from lipbench.plugins.interface import TYPES, Interface, Parameter, Unread, literal, wrong_default
from lipbench.plugins.kinds import METHOD

PLAIN = {"property", "cached_property", "staticmethod", "classmethod", "setter"}  # decorators of what is no hook


@dataclass(frozen=True)
class Body:
    """What one class statement says.

    Attributes:
        inherited: the parameters that it has from elsewhere.
        fields: annotated, hence parameters; or new defaults of inherited ones.
        constants: all other attributes.
    """

    of: Class
    interface: Interface
    inherited: dict[str, Parameter]
    hooks: set[str] = field(default_factory=set)
    fields: dict[str, Parameter] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, of: Class, interface: Interface, inherited: dict[str, Parameter], *, plugin: bool) -> "Body":
        """Read a class.

        Args:
            of: the class.
            interface: what it is held against.
            inherited: the parameters of the classes from which it derives.
            plugin: whether it derives from the interface; fields of another class are no parameters.

        Raises:
            PluginError: it says what cannot be meant.
        """
        body = cls(of, interface, inherited)
        for item in of.node.body:
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                body._function(item)
            elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                if plugin and "ClassVar" not in ast.unparse(item.annotation):
                    body._field(item.target.id, item)
                else:
                    body._constant(item.target.id, item.value, item)
            elif isinstance(item, ast.Assign):
                for target in item.targets:
                    if isinstance(target, ast.Name):
                        body._constant(target.id, item.value, item)
        return body

    def _set(self, name: str, kind: str, default: Any, line: int) -> None:
        if wrong := wrong_default(name, kind, default):
            raise self._refused(line, wrong)
        self.fields[name] = Parameter(name, kind, default)

    def _refused(self, line: int, text: str) -> PluginError:
        return PluginError(f"{self.of.name} in {str(self.of.source.path)!r}, line {line}: {text}")

    def _function(self, item: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        kind, hooks = self.interface.kind, self.interface.hooks
        name = self.interface.spellings.get(item.name, item.name)
        if name == "__init__":
            raise self._refused(
                item.lineno,
                f"a {kind.word} has no __init__ of its own; expected annotated fields with their defaults, such as "
                f"weight: float = 10.0, and __post_init__(self) for checks",
            )
        if name in hooks:
            self._hook(name, item)
        elif not (name.startswith("_") or PLAIN & {_last_name(decorator) for decorator in item.decorator_list}):
            meant = near(name, hooks)
            if meant or kind is METHOD:
                did = f"; did you mean {meant}?" if meant else "."
                raise self._refused(
                    item.lineno,
                    f"{name} is no hook of a {kind.word}{did} The hooks are {', '.join(sorted(hooks))}; a helper's "
                    f"name begins with an underscore: _{name}",
                )

    def _hook(self, name: str, item: ast.stmt) -> None:
        if name in self.hooks:
            others = [other for other, hook in self.interface.spellings.items() if hook == name]
            same = f" ({', '.join(others)} is another spelling of it)" if others else ""
            raise self._refused(item.lineno, f"{name} is defined a second time{same}; expected each hook once")
        self.hooks.add(name)

    def _field(self, name: str, item: ast.AnnAssign) -> None:
        kind = ast.unparse(item.annotation).strip("'\"")  # a type may be quoted
        self._spelt(name, {*self.interface.variables, *self.interface.fields}, item)
        self._no_hook(name, item)
        if name in self.interface.variables:
            given = "…" if item.value is None else ast.unparse(item.value)
            raise self._refused(item.lineno, f"{name} is no parameter; write it without a type: {name} = {given}")
        if kind not in TYPES:
            raise self._refused(
                item.lineno,
                f"the parameter {name} has the type {kind}; expected {', '.join(TYPES)}. What is no parameter is "
                f"written without a type, or as a ClassVar",
            )
        self._set(name, kind, MISSING if item.value is None else literal(item.value), item.lineno)

    def _constant(self, name: str, value: ast.expr | None, item: ast.stmt) -> None:
        hook = self.interface.spellings.get(name, name)
        if isinstance(literal(value), Unread) and hook in self.interface.hooks:
            self._hook(hook, item)
            return
        self._no_hook(name, item)
        if name in self.inherited:
            self._set(name, self.inherited[name].type, literal(value), item.lineno)
            return
        self._spelt(name, {*self.interface.hooks, *self.interface.variables, *self.inherited}, item)
        self.constants[name] = literal(value)
        kind = self.interface.variables.get(name)
        if isinstance(kind, ast.Subscript) and ast.unparse(kind.value).endswith("Literal"):
            allowed = [literal(choice) for choice in getattr(kind.slice, "elts", [kind.slice])]
            words = [str(each) or "''" for each in allowed]
            if self.constants[name] not in allowed:
                raise self._refused(
                    item.lineno,
                    f"{name} is {self.constants[name]!r}; expected one of: {', '.join(words)}",
                )

    def _no_hook(self, name: str, item: ast.stmt) -> None:
        if self.interface.spellings.get(name, name) in self.interface.hooks:
            raise self._refused(item.lineno, f"{name} is a hook, hence a function; expected another name for a value")

    def _spelt(self, name: str, known: set[str], item: ast.stmt) -> None:
        if not name.startswith("_") and name not in known and (meant := near(name, known)):
            raise self._refused(
                item.lineno,
                f"{name} has no meaning to a {self.interface.kind.word}; did you mean {meant}? Anything else that "
                f"is called so needs another name, or an underscore before it: _{name}",
            )


def _last_name(node: ast.expr) -> str:
    """The last word of a dotted name: ``cached_property`` of ``functools.cached_property``."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
