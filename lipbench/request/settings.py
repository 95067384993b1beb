"""Settings of a protocol as they are given: by dotted key, as text or as arguments."""

import tomllib
from collections.abc import Mapping
from typing import Any

from lipbench.errors import RequestError


def read_setting(text: str) -> tuple[str, Any]:
    """Read ``train.batch_size=64`` as a dotted key and a value in TOML's notation; other text stays text.

    Raises:
        RequestError: there is no equals sign, or a side is empty.
    """
    key, equals, value = (piece.strip() for piece in text.partition("="))
    if not (key and equals and value):
        raise RequestError(f"{text!r} is not a setting; expected the form train.batch_size=64")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def with_arguments(overrides: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by dotted key, and with them those that are arguments of their own; None is none.

    Raises:
        RequestError: one is given in both ways, with two values.
    """
    given = {key: value for key, value in arguments.items() if value is not None}
    for key, value in given.items():
        if overrides.get(key, value) != value:
            raise RequestError(f"setting {key} is given twice, as {overrides[key]!r} and {value!r}; expected one value")
    return {**overrides, **given}
