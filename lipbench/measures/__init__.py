"""What is measured."""

from typing import Any

COLUMNS: tuple[Any, ...] = ()
