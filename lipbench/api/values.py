"""What a value from Python is: a text, several things, a critic, points; and what is said of one that is not."""

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from lipbench.errors import RequestError, shortened

MOST_POINTS = 10_000  # at a place


def plain(value: Any) -> Any:
    """Python's own numbers and lists for those of numpy and torch."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    convert = getattr(value, "tolist", None)
    return convert() if callable(convert) and not isinstance(value, type) else value


def is_text(value: Any) -> bool:
    """Whether it is a text or path that is not empty."""
    return isinstance(value, str | PurePath) and bool(str(value).strip()) and "\0" not in str(value)


def is_several(value: Any) -> bool:
    """Whether it is a list, a set, a generator …, and neither a text nor a table."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | PurePath) and not hasattr(value, "keys")


def refusal(what: str, value: Any, expected: str) -> RequestError:
    """What is said of a value that cannot be meant."""
    return RequestError(f"{what} is {shortened(repr(value))}; expected {expected}")


def read_critic(what: str, value: Any) -> Any:
    """A module, or the text that names a critic; errors as of the other readers, `refusal`."""
    if callable(getattr(value, "named_parameters", None)) and not isinstance(value, type):
        return value
    if isinstance(value, str | PurePath) and is_text(value):
        return str(value)
    raise refusal(what, value, "a torch.nn.Module, './critic.py:make', a shared network such as 'cnn-32', or a run")


def read_points(what: str, value: Any) -> Any:
    """A tensor, or how many."""
    if hasattr(value, "is_floating_point") and not value.is_complex():
        return value
    number = plain(value)
    if type(number) is int and 2 <= number <= MOST_POINTS:
        return number
    raise refusal(what, value, f"a tensor of points, (n, c, h, w), or how many to take, from 2 to {MOST_POINTS:,}")


def read_shape(what: str, value: Any) -> tuple[int, int, int]:
    """The shape of a point as ``"3,32,32"``, or whole numbers; ``2`` is (2, 1, 1)."""
    given = value.replace("x", ",").replace("×", ",").split(",") if isinstance(value, str) else plain(value)
    several = list(given) if is_several(given) else [given]
    sides: list[Any] = [int(each) if isinstance(each, str) and each.strip().isdecimal() else each for each in several]
    if len(sides) not in (1, 3) or not all(type(each) is int and 1 <= each <= 10**5 for each in sides):
        raise refusal(what, value, "channels, height and width, as in '3,32,32', or '2' for points of two numbers")
    channels, height, width = [*sides, 1, 1][:3]
    return channels, height, width
