"""What `lipbench.Method` or `lipbench.Dataset` offers to plugins, read from its own text: nothing is imported."""

import ast
from dataclasses import dataclass
from typing import Any

from lipbench.errors import PluginError
from lipbench.interfaces.plugin import MISSING

TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "str": str}
WORDS = {"Method": "method", "Dataset": "data set"}  # for people


@dataclass(frozen=True)
class Unread:
    """A value that only importing the file tells; its text stands for it."""

    text: str

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Parameter:
    """A hyper-parameter: its name, its type's name as written, and its default."""

    name: str
    type: str
    default: Any

    def __str__(self) -> str:
        return f"{self.name}: {self.type}" + ("" if self.default is MISSING else f" = {self.default!r}")


@dataclass(frozen=True)
class Interface:
    """What `lipbench.Method` or `lipbench.Dataset` itself defines, read from its own text.

    Attributes:
        hooks: the functions that a plugin may define.
        variables: the constants that it may set, each with its type.
        fields: the parameters that every plugin has.
        spellings: other names of hooks.
    """

    name: str
    hooks: frozenset[str]
    variables: dict[str, ast.expr]
    fields: dict[str, Parameter]
    spellings: dict[str, str]

    @classmethod
    def of(cls, node: ast.ClassDef) -> "Interface":
        """Read the interface's class."""
        functions = [item for item in node.body if isinstance(item, ast.FunctionDef)]
        hooks = [item.name for item in functions if not item.decorator_list]  # a property is none
        annotated = [
            item for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        ]
        variables: dict[str, ast.expr] = {}
        fields: dict[str, Parameter] = {}
        spellings: dict[str, str] = {}
        for item in annotated:
            name, value = ast.unparse(item.target), literal(item.value)
            if name == "_spellings":
                spellings = value
            elif isinstance(item.annotation, ast.Subscript):
                variables[name] = item.annotation.slice
            else:
                fields[name] = Parameter(name, ast.unparse(item.annotation), value)
        return cls(node.name, frozenset(hooks), variables, fields, spellings)

    def check(self, hooks: frozenset[str], constants: dict[str, Any], place: str) -> None:
        """See that a whole class does anything.

        Raises:
            PluginError: it does not, or one hook lacks the other that it needs.
        """
        if self.name == "Dataset":
            if not hooks:
                raise PluginError(
                    f"{place} has no load; expected load(self), which returns lipbench.Pictures or a Pair"
                )
            return
        if len(half := hooks & {"penalty", "penalty_points"}) == 1:
            (one,) = half
            (other,) = {"penalty", "penalty_points"} - half
            raise PluginError(
                f"{place} has a {one} but no {other}, without which it is never used; define both (penalty_points says "
                f"where the critic is penalised, penalty how)"
            )
        if not hooks and constants.get("control") is not True:
            raise PluginError(
                f"{place} defines no hook, so it would train the unconstrained critic under another name; expected at "
                f"least one of {', '.join(sorted(self.hooks))}, or control = True for a method that is meant to "
                f"change nothing"
            )


def wrong_default(name: str, kind: str, default: Any) -> str:
    """Why a default is none of its parameter; empty where it can be one."""
    fits = type(default) is TYPES[kind] or (kind == "float" and type(default) is int)
    if not (fits or default is MISSING or isinstance(default, Unread)):
        return f"{name} is {default!r}; expected a default of its type, {kind}"
    if name == "every" and type(default) is int and default < 1:
        return f"every is {default}; expected a whole number of at least 1"
    return ""


def literal(node: ast.expr | None) -> Any:
    """The value of an expression that is one; else its text."""
    if node is None:
        return None
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError):
        return Unread(ast.unparse(node))
