"""The house: each room imports only rooms that stand before it."""

import ast
from pathlib import Path

import pytest

import lipbench

ROOT = Path(lipbench.__file__).parent
# From the ground up; rooms of one line do not know each other.
FLOORS = [
    {"console", "version"},
    {"errors", "terminal", "__init__"},
    {"disk"},
    {"interfaces"},
    {"plugins", "measures"},
    {"request"},
    {"launch", "data", "nets", "losses", "extractors"},
    {"launchers"},
    {"train"},
    {"measuring"},
    {"work"},
    {"tools"},
    {"reports"},
    {"screen"},
    {"api"},
    {"cli", "testing"},
    {"__main__"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
REPORTS_MAY_KNOW = {"errors", "version", "terminal", "disk", "plugins", "measures", "request", "__init__", "reports"}
FILES = sorted(ROOT.rglob("*.py"))


def room(parts: tuple[str, ...]) -> str:
    return parts[1] if len(parts) > 1 else "__init__"


def imports(path: Path) -> set[str]:
    """The rooms that a file imports, wherever in the file it does so, types aside."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "lipbench":
            names = [f"lipbench.{alias.name}" for alias in node.names] if node.module == "lipbench" else [node.module]
            found |= {room(tuple(name.split("."))) for name in names}
        elif isinstance(node, ast.Import):
            found |= {room(tuple(a.name.split("."))) for a in node.names if a.name.split(".")[0] == "lipbench"}
    # `from lipbench import Method` takes a name of the package itself: it comes from the room that defines it.
    homes = {name: home.split(".")[1] for name, home in lipbench._HOME.items()}
    return {name if name in FLOOR else homes.get(name, "__init__") for name in found}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_rooms_below_it(path: Path) -> None:
    own = room(("lipbench", path.relative_to(ROOT).parts[0].removesuffix(".py")))
    assert own in FLOOR, f"{own} has no place in the house yet"
    for other in imports(path) - {own}:
        assert FLOOR[other] < FLOOR[own], f"{own} imports {other}"
    if own == "reports":
        assert imports(path) <= REPORTS_MAY_KNOW


def test_nothing_imports_the_methods_by_name() -> None:
    for path in FILES:
        assert "lipbench_methods" not in path.read_text(), path
