"""A protocol: everything that all methods of a comparison share, named and checked."""

import tomllib
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lipbench.errors import RequestError, UnknownNameError

Count = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1)]

FOLDER = Path(__file__).parent / "protocols"

# A smoke run: everything happens once, nothing is learned.
QUICK = {
    "train.steps": 20,
    "evaluate.every": 10,
    "evaluate.samples": 256,
    "evaluate.real_samples": 256,
    "evaluate.kid_subset_size": 128,
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Train(_Strict):
    """How critic and generator are trained; a step is a generator step."""

    steps: Count
    critic_steps: Count
    batch_size: Count
    generator_batch_size: Count
    learning_rate: Rate
    generator_learning_rate: Rate
    # Read leniently: TOML has lists where Python has tuples.
    betas: Annotated[tuple[Fraction, Fraction], Field(strict=False)]
    decay: Literal["none", "linear"]
    latent_dim: Count
    ema_decay: Fraction
    flips: bool
    threads: Count
    # Of the networks; where it is float32, it does not show in a protocol's text or id.
    precision: Literal["float32", "tf32", "bfloat16"] = Field(
        default="float32", exclude_if=lambda value: value == "float32"
    )


class Evaluate(_Strict):
    """What is measured, and how often."""

    every: Count
    samples: Annotated[int, Field(ge=2)]
    # All of the split where it is left out; then it does not show in a protocol's text or id either.
    real_samples: Annotated[int, Field(ge=2)] | None = Field(default=None, exclude_if=lambda value: value is None)
    extractor: str
    split: Literal["train", "held_out", "all"]
    kid_subsets: Count
    kid_subset_size: Annotated[int, Field(ge=2)]
    isc_splits: Count
    critic_points: Annotated[int, Field(ge=2)]


class Protocol(_Strict):
    """Everything that all methods of a comparison share."""

    name: str
    datasets: str
    architecture: str
    loss: Literal["wasserstein", "hinge", "logistic"]
    train: Train
    evaluate: Evaluate

    @property
    def id(self) -> str:
        """Eight hex digits of everything in it; rows of different ids are never ranked together."""
        return sha256(self.model_dump_json().encode()).hexdigest()[:8]


def named() -> list[str]:
    """The names of the protocols that come with lipbench."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name: str) -> dict[str, Any]:
    """Read a protocol, by name or from a file that ends in .toml, as plain data that is not yet checked.

    Raises:
        RequestError: there is no such protocol, or the file is not TOML.
    """
    path = Path(name).expanduser() if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not name.endswith(".toml") and name not in named():
        raise UnknownNameError("protocol", name, named(), "A file of your own is named by its path: ./mine.toml.")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RequestError(f"there is no protocol file {name!r}; expected the path of a TOML file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RequestError(f"protocol file {name!r} cannot be read: {error}") from None


@dataclass(frozen=True)
class Recommended:
    """What a method's authors ran it with.

    Attributes:
        settings: of the protocol, by dotted key.
        parameters: of the method itself.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)


def recommended(data: dict[str, Any], method: str) -> Recommended | None:
    """The table ``[recommended.<method>]`` of a protocol, or None where there is none.

    Raises:
        RequestError: it is not a table.
    """
    tables = data.get("recommended", {})
    own = tables.get(method) if isinstance(tables, dict) else tables
    if own is None:
        return None
    if not isinstance(own, dict):
        raise RequestError(f"recommended of {method} is {own!r}; expected a table such as [recommended.{method}]")
    parameters = own.get("parameters", {})
    if not isinstance(parameters, dict):
        raise RequestError(
            f"recommended.{method}.parameters is {parameters!r}; expected such as parameters.bound = 0.1"
        )
    settings = {key: value for key, value in own.items() if key != "parameters"}
    return Recommended(_dotted(settings), parameters)


def _dotted(table: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= {f"{key}.{inner}": item for inner, item in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def text(name: str) -> str:
    """The text of a protocol that comes with lipbench, to start one's own from.

    Raises:
        UnknownNameError: there is none of this name.
    """
    if name not in named():
        raise UnknownNameError("protocol", name, named(), "`lipbench protocols` describes them.")
    return (FOLDER / f"{name}.toml").read_text(encoding="utf-8")


def check(data: dict[str, Any], overrides: dict[str, Any]) -> Protocol:
    """Lay `overrides` (by dotted key) over `data` and check the whole, what is recommended for methods aside.

    Raises:
        UnknownNameError: a key is not known.
        RequestError: a value is missing or out of range.
    """
    merged = {key: dict(value) if isinstance(value, dict) else value for key, value in data.items()}
    merged.pop("recommended", None)
    for dotted, value in overrides.items():
        table, _, key = dotted.rpartition(".")
        if table and not isinstance(merged.setdefault(table, {}), dict):
            raise _unknown(dotted)
        (merged[table] if table else merged)[key] = value
    try:
        return Protocol.model_validate(merged)
    except ValidationError as errors:
        raise _explain(errors) from None


def keys() -> list[str]:
    """Every dotted key of a protocol."""
    tables: dict[str, type[BaseModel]] = {"train": Train, "evaluate": Evaluate}
    plain = [key for key in Protocol.model_fields if key not in tables]
    return plain + [f"{table}.{key}" for table, model in tables.items() for key in model.model_fields]


def _unknown(key: str) -> UnknownNameError:
    return UnknownNameError("setting", key, keys(), "Settings are given as --set train.batch_size=64.")


def _explain(errors: ValidationError) -> RequestError:
    first = errors.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return _unknown(key)
    if first["type"] == "missing" and isinstance(first["loc"][-1], str):
        return RequestError(
            f"setting {key!r} is missing; `lipbench/protocols/digits.toml` shows every key with a value"
        )
    message = first["msg"].replace("Input should be", "expected").replace("Field required", "expected one more value")
    return RequestError(f"setting {key} is {first['input']!r}; {message}")
