"""The modules of a user's own that a user's file imports: found in the texts, nothing is imported.

A run has copies of them, and they are a part of what it is, as the file itself is. What is installed and the standard
library are not: a run records the versions of packages.
"""

import ast
import sys
import sysconfig
from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from lipbench.errors import PluginError
from lipbench.plugins import classes

INSTALLED = {"site-packages", "dist-packages"}  # folders of what is installed
LIBRARY = {*sys.stdlib_module_names, "lipbench"}


def digest(path: Path) -> str:
    """The sha256 of a file, in hex."""
    return sha256(path.read_bytes()).hexdigest()


def version(main: str, others: Mapping[str, str]) -> str:
    """One digest of a file and its modules: that of the file where there are none.

    Args:
        main: the digest of the file.
        others: the digest of each module, by its place.
    """
    return sha256(repr((main, sorted(others.items()))).encode()).hexdigest() if others else main


def modules(path: Path) -> dict[str, Path]:
    """Find the modules of the user's own that a file imports, and those that these import.

    An import counts wherever it stands. What is no relative import is looked for beside the file, in the folders of
    ``PYTHONPATH``, among all that is installed, and last in the present folder. Where the file is part of a package,
    what lies beside it is reached by relative imports, and comes after what is installed.

    Args:
        path: a Python file.

    Returns:
        The file of each module by its place in a folder that holds them all, such as ``models/blocks.py``, in order.

    Raises:
        PluginError: the file or a module is missing or is not Python, or one name means two modules.
    """
    beside = [path.parent] if _is_own(path.parent) else []
    packaged = (path.parent / "__init__.py").is_file()
    on_path = [root for entry in sys.path if _is_own(root := Path(entry))]
    first, last = ([] if packaged else beside) + on_path, [*(beside if packaged else []), Path()]
    found: dict[str, Path] = {}
    others: set[str] = set()  # top names that stand for what is installed
    waiting = [(path, "")]
    while waiting:
        file, package = waiting.pop()
        for name, relative in _imported(classes.read(file).tree, package):
            top = name.partition(".")[0]
            if relative:
                roots = beside + first + last
            elif top in LIBRARY:
                continue
            elif classes.file_of(top, first) or not _is_installed(top):
                roots = first + last
            else:
                others.add(top)
                continue
            for place, inner in _files(name, roots).items():
                if place not in found:
                    found[place] = inner
                    waiting.append((inner, place.rpartition("/")[0].replace("/", ".")))
    for place, inner in found.items():
        if (top := place.partition("/")[0].removesuffix(".py")) in others:
            raise PluginError(
                f"{str(path)!r} and what it imports use the installed {top} and {str(inner)!r}, both of one name; "
                f"rename the latter"
            )
    return dict(sorted(found.items()))


def unseen(before: Collection[str]) -> list[Path]:
    """The files of the user's own that have been imported otherwise than as copies.

    Args:
        before: the names in ``sys.modules`` before.
    """
    files = (
        getattr(module, "__file__", None)
        for name, module in [*sys.modules.items()]
        if name not in before and not name.startswith("lipbench")
    )
    return sorted(path for file in files if file and _is_own((path := Path(file)).parent))


def _imported(tree: ast.Module, package: str) -> Iterator[tuple[str, bool]]:
    """All that a text imports and that may be a module: the full name, and whether the import is relative."""
    above = package.split(".") if package else []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level <= len(above) + 1:  # beyond it, Python itself refuses
            start = above[: len(above) + 1 - node.level] if node.level else []
            parts = start + (node.module.split(".") if node.module else [])
            yield from ((".".join([*parts, alias.name]), node.level > 0) for alias in node.names)


def _files(name: str, roots: list[Path]) -> dict[str, Path]:
    """The files of the user's own that are run when a name is imported, by their places."""
    found: dict[str, Path] = {}
    place, folders = "", roots
    for part in name.split("."):
        file = classes.file_of(part, folders)
        place += part
        if file is None:  # a folder without a text, the name of what is no module, or nothing
            folders = [folder / part for folder in folders if (folder / part).is_dir()]
        elif file.name == "__init__.py":
            found[f"{place}/__init__.py"] = file
            folders = [file.parent]
        else:
            found[f"{place}.py"] = file
            break
        place += "/"
    return found


def _is_installed(top: str) -> bool:
    """Whether there is such a module, a mere folder aside."""
    spec = classes.find_spec(top)
    return spec is not None and spec.origin is not None


def _is_own(folder: Path) -> bool:
    """Whether the modules in a folder are the user's own, and neither installed nor of the standard library."""
    whole = folder.resolve()
    libraries = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")]
    return whole.is_dir() and not INSTALLED & {*whole.parts} and not any(whole.is_relative_to(x) for x in libraries)
