"""What `lipbench.Method`, `lipbench.Dataset` … offer to plugins, read from their own texts: nothing is imported."""

import ast
from dataclasses import dataclass
from typing import Any

from lipbench.errors import PluginError
from lipbench.interfaces.plugin import MISSING
from lipbench.plugins.kinds import BY_BASE, METHOD, Kind

TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "str": str}


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
    """What the base class of a kind of plugins defines itself, read from its own text.

    Attributes:
        kind: of plugins.
        hooks: the functions that a plugin may define, each as it is called and what it returns.
        variables: the constants that it may set, each with its type.
        fields: the parameters that every plugin has.
        spellings: other names of hooks.
    """

    kind: Kind
    hooks: dict[str, str]
    variables: dict[str, ast.expr]
    fields: dict[str, Parameter]
    spellings: dict[str, str]

    @classmethod
    def of(cls, node: ast.ClassDef) -> "Interface":
        """Read the interface's class."""
        hooks: dict[str, str] = {}
        variables: dict[str, ast.expr] = {}
        fields: dict[str, Parameter] = {}
        spellings: dict[str, str] = {}
        for item in node.body:
            if isinstance(item, ast.FunctionDef) and not item.decorator_list:  # a property is no hook
                hooks[item.name] = _called(item)
            if not (isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)):
                continue
            name, value = item.target.id, literal(item.value)
            if name == "_spellings":
                spellings = value
            elif isinstance(item.annotation, ast.Subscript):
                variables[name] = item.annotation.slice
            else:
                fields[name] = Parameter(name, ast.unparse(item.annotation), value)
        return cls(BY_BASE[node.name], hooks, variables, fields, spellings)

    def check(self, hooks: frozenset[str], constants: dict[str, Any], place: str) -> None:
        """See that a whole class does anything.

        Raises:
            PluginError: it does not, or one hook lacks the other that it needs.
        """
        for name in sorted(self.kind.needs - hooks):
            raise PluginError(f"{place} has no {name}; expected {self.hooks[name]}")
        if self.kind.one_of and len(chosen := hooks & self.kind.one_of) != 1:
            raise PluginError(
                f"{place} defines {' and '.join(sorted(chosen)) or 'no hook'}; expected exactly one of: "
                f"{'; '.join(self.hooks[name] for name in sorted(self.kind.one_of))}"
            )
        if self.kind is not METHOD:
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


def _called(hook: ast.FunctionDef) -> str:
    """A hook with its arguments, and the first sentence of its docstring."""
    arguments = ", ".join(argument.arg for argument in hook.args.args)
    said = (ast.get_docstring(hook) or "").partition("\n")[0].removesuffix(".")
    return f"{hook.name}({arguments}): {said[:1].lower()}{said[1:]}"


def literal(node: ast.expr | None) -> Any:
    """The value of an expression that is one; else its text."""
    if node is None:
        return None
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError):
        return Unread(ast.unparse(node))
