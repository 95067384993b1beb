"""Built-in methods with one thing changed, as a user's own files."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lipbench import Method
from lipbench.plugins import kinds, registry
from lipbench.plugins.names import Name

NAMES = list(registry.installed(kinds.METHOD))


@dataclass(frozen=True)
class Mutant:
    """A changed method.

    Attributes:
        of: the name of the built-in method.
        change: what was changed.
        text: of the file.
    """

    of: str
    change: str
    text: str

    def __str__(self) -> str:
        return f"{self.of}: {self.change}"

    def write(self, folder: Path) -> registry.Found:
        """Write the file, and say where it is found."""
        path = folder / "mutant.py"
        path.write_text(self.text, encoding="utf-8")
        return registry.Found(kinds.METHOD, path.stem, path)


@cache
def place(name: str) -> registry.Found:
    """Where a built-in method is."""
    return registry.find(kinds.METHOD, Name(name))


def rewritten(name: str, change: Callable[[ast.Module, ast.ClassDef], object]) -> str:
    """The text of a method, its siblings imported by the package's name, after a change of its syntax tree.

    Args:
        name: of the method.
        change: alters the tree, whose one class it is also given.
    """
    found = place(name)
    tree = ast.parse(found.path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            node.module, node.level = f"lipbench_methods.{node.module}", 0
    change(tree, next(node for node in tree.body if isinstance(node, ast.ClassDef)))
    return ast.unparse(ast.fix_missing_locations(tree))


def hooks(name: str) -> list[str]:
    """The hooks that the file of a method itself defines."""
    tree = ast.parse(place(name).path.read_text(encoding="utf-8"))
    return [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and callable(vars(Method).get(node.name)) and node.name[0] != "_"
    ]


def misspelt(name: str) -> Iterator[Mutant]:
    """One hook with a letter left out, doubled, replaced, or swapped with the next; each letter in turn."""
    for hook in hooks(name):
        for i in range(len(hook)):
            swapped = hook[:i] + hook[i + 1 : i + 2] + hook[i] + hook[i + 2 :]
            for other in {hook[:i] + hook[i + 1 :], hook[: i + 1] + hook[i:], hook[:i] + "x" + hook[i + 1 :], swapped}:
                if other != hook and not other.startswith("_"):
                    yield Mutant(name, f"{hook} called {other}", rewritten(name, _renaming(hook, other)))


def broken(name: str) -> Iterator[Mutant]:
    """The method with a hook that no longer does its work: its gradient cut, its mean left out, its body gone."""
    for hook in hooks(name):
        if hook in ("score", "penalty", "regulariser"):
            yield Mutant(name, f"{hook} without a gradient", rewritten(name, _returning(hook, _detached)))
        if hook == "penalty":
            yield Mutant(name, f"{hook} without its mean", rewritten(name, _returning(hook, _of_each_sample)))
        if hook in ("constrain", "project"):
            yield Mutant(name, f"{hook} that does nothing", rewritten(name, _emptied(hook)))


def same(name: str) -> Iterator[Mutant]:
    """The method written in other ways, all of which mean the same."""
    card = place(name).card
    module, kind = f"lipbench_methods.{name}", card.class_name
    yield Mutant(name, "a class between it and Method", rewritten(name, _between))
    yield Mutant(name, "a class below", rewritten(name, _below))
    yield Mutant(name, "derived", f"from {module} import {kind}\nclass Mine({kind}): pass\n")
    yield Mutant(name, "derived, renamed", f"from {module} import {kind} as Base\nclass {kind}(Base): pass\n")
    yield Mutant(name, "derived through the module", f"import {module} as m\nclass Mine(m.{kind}): pass\n")
    yield Mutant(name, "derived by dotted name", f"import {module}\nclass Mine({module}.{kind}): pass\n")
    yield Mutant(
        name, "derived through the package", f"from {module[:16]} import {name}\nclass Mine({name}.{kind}): ...\n"
    )
    for decorator in ("dataclass", "dataclass(frozen=True)", "dataclass(frozen=True, kw_only=True)"):
        yield Mutant(name, f"decorated as {decorator}", rewritten(name, _decorating(decorator)))


def _renaming(hook: str, other: str) -> Callable[[ast.Module, ast.ClassDef], object]:
    def change(tree: ast.Module, node: ast.ClassDef) -> None:
        for item in node.body:
            if isinstance(item, ast.FunctionDef) and item.name == hook:
                item.name = other

    return change


def _returning(hook: str, changed: Callable[[ast.expr], ast.expr]) -> Callable[[ast.Module, ast.ClassDef], object]:
    def change(tree: ast.Module, node: ast.ClassDef) -> None:
        for item in node.body:
            if isinstance(item, ast.FunctionDef) and item.name == hook:
                for inner in ast.walk(item):
                    if isinstance(inner, ast.Return) and inner.value is not None:
                        inner.value = changed(inner.value)

    return change


def _detached(value: ast.expr) -> ast.expr:
    return ast.Call(ast.Attribute(value, "detach"), [], [])


def _of_each_sample(value: ast.expr) -> ast.expr:
    class Without(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.expr:
            self.generic_visit(node)
            reduces = isinstance(node.func, ast.Attribute) and node.func.attr in ("mean", "max")
            return node.func.value if reduces and isinstance(node.func, ast.Attribute) else node

    found = Without().visit(value)
    assert isinstance(found, ast.expr)
    return found


def _emptied(hook: str) -> Callable[[ast.Module, ast.ClassDef], object]:
    def change(tree: ast.Module, node: ast.ClassDef) -> None:
        for item in node.body:
            if isinstance(item, ast.FunctionDef) and item.name == hook:
                item.body = [ast.Return(ast.Name("critic"))]

    return change


def _between(tree: ast.Module, node: ast.ClassDef) -> None:
    between = ast.ClassDef("Between", node.bases, [], [ast.Pass()], [])
    node.bases = [ast.Name("Between")]
    tree.body.insert(tree.body.index(node), between)


def _below(tree: ast.Module, node: ast.ClassDef) -> None:
    tree.body.append(ast.ClassDef("Mine", [ast.Name(node.name)], [], [ast.Pass()], []))


def _decorating(decorator: str) -> Callable[[ast.Module, ast.ClassDef], object]:
    def change(tree: ast.Module, node: ast.ClassDef) -> None:
        node.decorator_list = [ast.parse(decorator, mode="eval").body]
        tree.body.insert(1, ast.parse("from dataclasses import dataclass").body[0])

    return change
