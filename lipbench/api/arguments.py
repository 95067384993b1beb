"""What is asked from Python, argument by argument: read as what it means, or refused in a sentence.

Every argument of a public function has a reader here, by its name. A reader gives what the function works with, and
gives the same again when it reads that.
"""

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from itertools import islice
from math import isfinite
from pathlib import Path, PurePath
from typing import Any, ParamSpec, TypeVar

from lipbench.api.values import is_several, is_text, plain, read_critic, read_points, read_shape, refusal
from lipbench.errors import RequestError, UnknownNameError
from lipbench.interfaces.plugin import Plugin
from lipbench.launch.listener import Listener
from lipbench.plugins import registry
from lipbench.plugins.kinds import KINDS
from lipbench.plugins.names import LARGEST_SEED, MOST_SEEDS, check_seeds, listed, read_seeds

P = ParamSpec("P")
R = TypeVar("R")
Reader = Callable[[str, Any], Any]


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Have every argument of a public function read before it is called; None stays where it is the default.

    Raises:
        RequestError: by the function: an argument is unknown, missing, or not what was expected.
    """
    signature = inspect.signature(function)
    readers = {name: READERS[name] for name in signature.parameters}
    optional = {name for name, parameter in signature.parameters.items() if parameter.default is None}

    @wraps(function)
    def read(*args: P.args, **kwargs: P.kwargs) -> R:
        for name in kwargs:
            if name not in readers:
                about = f"`help(lipbench.{function.__name__})` describes them."
                raise UnknownNameError(f"argument of {function.__name__}", name, readers, about)
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError as error:
            known = ", ".join(readers)
            raise RequestError(
                f"{function.__name__} cannot be called so: {error}; expected arguments: {known}"
            ) from None
        for name, value in given.arguments.items():
            if value is not None or name not in optional:
                given.arguments[name] = readers[name](name, value)
        return function(*given.args, **given.kwargs)

    return read


def seeds(what: str, value: Any) -> list[int]:
    """Seeds as ``"0-4"``, or whole numbers."""
    if isinstance(value, str):
        return read_seeds(value)
    given = plain(value)
    if type(given) is int:
        raise refusal(what, given, f"'0-2' for the seeds 0, 1 and 2, or [{given}] for one: a number could mean either")
    if not is_several(given):
        raise refusal(what, value, "such as '0-4', or a list of whole numbers from 0")
    found: dict[int, None] = {}
    for item in islice(given, MOST_SEEDS + 1):
        seed = plain(item)
        if type(seed) is not int:
            raise refusal(f"a seed of {what}", item, "a whole number from 0")
        found[seed] = None
    check_seeds(found)
    return list(found)


def _that(fits: Callable[[Any], Any], expected: str, convert: Callable[[Any], Any] = lambda value: value) -> Reader:
    """Reads what fits, once numbers and lists are Python's own."""

    def read(what: str, value: Any) -> Any:
        given = plain(value)
        if not fits(given):
            raise refusal(what, value, expected)
        return convert(given)

    return read


def _names(expected: str) -> Reader:
    def read(what: str, value: Any) -> list[str]:
        several = is_several(value)
        items = list(value) if several else [value]
        for item in items:
            if _is_plugin(item):
                raise _class_refusal(what, item)
            if not isinstance(item, str | PurePath):
                raise refusal(f"one of {what}" if several else what, item, expected)
        if not items or any(not str(item).strip() for item in items):
            raise refusal(what, value, expected)
        return listed(items)

    return read


def _name(expected: str) -> Reader:
    return _that(is_text, expected, lambda value: listed(value)[0] if isinstance(value, PurePath) else value)


def _text(expected: str) -> Reader:
    return _that(is_text, expected, str)


def _path(expected: str) -> Reader:
    return _that(is_text, expected, Path)


def _paths(expected: str) -> Reader:
    def read(what: str, value: Any) -> list[Path]:
        if not is_several(value):
            return [_path(expected)(what, value)]
        return [_path(expected)(f"one of {what}", item) for item in value]

    return read


def _choice(*allowed: str) -> Reader:
    return _that(lambda value: value in allowed, f"one of: {', '.join(allowed)}", str)


def _whole(least: int, most: int) -> Reader:
    def read(what: str, value: Any) -> int:
        number = plain(value)
        if type(number) is not int or number < least:
            raise refusal(what, value, f"a whole number of at least {least}")
        if number > most:
            raise refusal(what, value, f"a whole number of at most {most:,}")
        return number

    return read


def _settings(what: str, value: Any) -> dict[str, Any]:
    form = "settings by dotted key, such as {'train.steps': 500}"
    if not isinstance(value, Mapping):
        raise refusal(what, value, form)
    found: dict[str, Any] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise refusal(f"a key of {what}", key, form)
        if isinstance(item, Mapping):
            raise refusal(f"{what}[{key!r}]", item, form)
        if callable(item):
            raise refusal(f"{what}[{key!r}]", item, "a value, such as './nets.py:make' for a function in a file")
        found[key] = str(item) if isinstance(item, PurePath) else plain(item)
    return found


def _is_plugin(value: Any) -> bool:
    return isinstance(value, Plugin) or (isinstance(value, type) and issubclass(value, Plugin))


def _class_refusal(what: str, value: Any) -> RequestError:
    """Say by what name or path a class is given: each run has a process of its own, which must find it again."""
    defined = value if isinstance(value, type) else type(value)
    module = defined.__module__
    file = getattr(sys.modules.get(module), "__file__", None)
    known = [registry.installed(kind) for kind in KINDS]
    name = [name for kind in known for name, places in kind.items() if module in [place.module for place in places]]
    if name:
        cure = f"its name, {what}={name[0]!r}"
    elif file and module != "__main__":
        cure = f"the path of its file, {what}={file!r}"
    else:
        cure = (
            f"the path of a file that holds it alone: write it to one (in a notebook, %%writefile mine.py is the first "
            f"line of its cell) and give {what}='./mine.py'"
        )
    of = "" if value is defined else "an instance of "
    return RequestError(f"{what} holds {of}the class {defined.__name__}; expected {cure}")


def _method(what: str, value: Any) -> Any:
    """A method's name or path as a text; a class or an instance as it is."""
    from lipbench.interfaces.method import Method

    if isinstance(value, Method) or (isinstance(value, type) and issubclass(value, Method)):
        return value
    if not is_text(value) or not str(value).strip():
        expected = "a name such as 'gp', the path of a file such as './mine.py', a class that derives from"
        raise refusal(what, value, f"{expected} lipbench.Method, or an instance of one")
    return listed(value)[0]


_flag = _that(lambda value: type(value) is bool, "True or False")

READERS: dict[str, Reader] = {
    "methods": _names("names such as 'gn,sn', or paths of files of your own such as './mine.py'"),
    "method": _method,
    "datasets": _names("names such as 'digits', or None for the protocol's own"),
    "measures": _names("names such as 'prdc', or paths of files of your own such as './mine.py'"),
    "subjects": _names("runs, by their ids or folders, or data sets such as 'folder[path=fakes,size=32]'"),
    "against": _name("a data set such as 'cifar10'"),
    "seeds": seeds,
    "protocol": _text("a protocol's name such as 'digits', or the path of a TOML file"),
    "settings": _choice("shared", "recommended"),
    "overrides": _settings,
    "steps": _whole(1, 10**9),
    "precision": _choice("float32", "tf32", "bfloat16"),
    "quick": _flag,
    "raw": _flag,
    "jobs": _whole(1, 10**4),
    "on": _text("a launcher such as 'local' or 'slurm[partition=gpu]'"),
    # Other devices of PyTorch lack float64, in which critics are measured, or hold no numbers; it has but one CPU.
    "device": _that(
        lambda value: is_text(value) and re.fullmatch("auto|cpu(:0)?|cuda(:[0-9]{1,4})?", str(value)),
        "auto, cpu, cuda, or a GPU by its number, as in cuda:0",
        str,
    ),
    "timeout": _that(
        lambda value: type(value) in (int, float) and isfinite(value) and value > 0, "seconds above 0", float
    ),
    "retry_failed": _flag,
    "dry_run": _flag,
    "results": _path("the path of a folder, such as 'results'"),
    "data_root": _path("the path of a folder"),
    "inception_weights": _path("the path of a file"),
    "listener": _that(
        lambda value: isinstance(value, Listener),
        "an instance of lipbench.Listener, or of a class of yours that derives from it and defines what it wants to be "
        "told; lipbench.Listener() itself shows nothing",
    ),
    "out": _path("the path of a folder, such as 'report'"),
    "baseline": _text("a method that was run, such as 'gp'"),
    "folders": _paths("the path of a results folder or of the folder of a run, or several"),
    "into": _path("the path of a results folder, such as 'results'"),
    "add": _paths("the path of a CSV file, or several"),
    "run": _text("the id of a run, its beginning, or the path of its folder"),
    "split": _choice("train", "held_out", "all"),
    "samples": _whole(2, 10**6),
    "extractor": _text("an extractor's name, such as 'inception-v3-compat'"),
    "architecture": _text("an architecture's name, such as 'cnn-32', or a function in a file, './nets.py:make'"),
    "side": _whole(1, 10**4),
    "channels": _whole(1, 10**4),
    "batch_size": _whole(1, 10**5),
    "rounds": _whole(1, 10**6),
    "engine": _choice("three-sweep", "double-backward", "both"),
    "note": _that(callable, "a function of a text, such as print"),
    "progress": _that(callable, "a function of a number"),
    "subject": read_critic,
    "points": read_points,
    "weights": _path("the path of a state_dict's file"),
    "data": _name("a data set such as 'cifar10' or 'folder[path=images,size=32]'"),
    "shape": read_shape,
    "score": _text("a method with a score, such as 'gn'"),
    "seed": _whole(0, LARGEST_SEED),
    "page": _path("the path of a folder"),
    "request": lambda what, value: value,  # what `read_request` gave
}
