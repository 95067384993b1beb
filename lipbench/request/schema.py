"""What a protocol says: everything that all methods of a comparison share, as types that are checked.

There are three, by what they train; `model_of`, `adversarial` and the attribute `trains` tell one from the others.
"""

from hashlib import sha256
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from lipbench.errors import RequestError

# Far above what anybody means, and below what fills the memory or never ends: a slip of the hand is told at once.
Count = Annotated[int, Field(gt=0, le=10**9)]
Batch = Annotated[int, Field(gt=0, le=10**5)]
Few = Annotated[int, Field(gt=0, le=10**4)]
Points = Annotated[int, Field(ge=2, le=10**6)]
Samples = Annotated[int, Field(ge=2, le=10**4)]  # whose exact transport takes the square of their number in memory
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Betas = Annotated[tuple[Fraction, Fraction], Field(strict=False)]  # TOML has lists where Python has tuples
# What is left out does not show in a protocol's text or id: networks are in float32 and trained by Adam, nothing is
# measured besides what every run measures, and one extractor is asked at every evaluation.
Precision = Annotated[Literal["float32", "tf32", "bfloat16"], Field(exclude_if=lambda value: value == "float32")]
Optimiser = Annotated[Literal["adam", "sgd"], Field(exclude_if=lambda value: value == "adam")]
Optional = Annotated[str, Field(exclude_if=lambda value: not value)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Train(_Strict):
    """How critic and generator are trained; a step is a generator step."""

    steps: Count
    critic_steps: Few
    batch_size: Batch
    generator_batch_size: Batch
    learning_rate: Rate
    generator_learning_rate: Rate
    betas: Betas
    decay: Literal["none", "linear"]
    latent_dim: Batch
    ema_decay: Fraction
    flips: bool
    threads: Few
    precision: Precision = "float32"


class Evaluate(_Strict):
    """What is measured, and how often.

    Attributes:
        curve_extractor: gives the FID of every evaluation in place of `extractor`, which is then asked at the last one
            alone; none where it is empty.
    """

    every: Count
    samples: Points
    # All of the split where it is left out; then it does not show in a protocol's text or id either.
    real_samples: Points | None = Field(default=None, exclude_if=lambda value: value is None)
    extractor: str
    curve_extractor: Optional = ""
    split: Literal["train", "held_out", "all"]
    kid_subsets: Batch
    kid_subset_size: Points
    isc_splits: Few
    critic_points: Points
    measures: Optional = ""


class _Protocol(_Strict):
    """What both have.

    Attributes:
        example: the protocol that shows every key.
        quick: the settings of a smoke run, by dotted key: everything happens once, nothing is learned.
    """

    example: ClassVar[str]
    quick: ClassVar[dict[str, int]]

    @property
    def id(self) -> str:
        """Eight hex digits of everything in it; rows of different ids are never ranked together."""
        return sha256(self.model_dump_json().encode()).hexdigest()[:8]


class Protocol(_Protocol):
    """A comparison of methods that train a generator against a critic."""

    name: str
    datasets: str
    architecture: str
    loss: str
    train: Train
    evaluate: Evaluate

    trains: ClassVar[Literal["generator and critic"]] = "generator and critic"
    example: ClassVar[str] = "digits"
    quick: ClassVar[dict[str, int]] = {
        "train.steps": 20,
        "evaluate.every": 10,
        "evaluate.samples": 256,
        "evaluate.real_samples": 256,
        "evaluate.kid_subset_size": 128,
    }

    @property
    def pictures(self) -> dict[str, Any]:
        """How many pictures are compared, by the names of ``runs.csv``."""
        return {key: getattr(self.evaluate, key) for key in ("samples", "real_samples", "split")}

    def in_words(self) -> list[str]:
        """What it says in short, line by line."""
        train, measured = self.train, self.evaluate
        real = f"{measured.real_samples:,}" if measured.real_samples else "all"
        return [
            f"{self.datasets}, {self.architecture}, {self.loss} loss, {train.steps:,} steps of "
            f"{train.critic_steps} critic step{'s' * (train.critic_steps != 1)}",
            f"batch {train.batch_size}/{train.generator_batch_size} and learning rate {train.learning_rate:g}/"
            f"{train.generator_learning_rate:g} (critic/generator), decay {train.decay}, EMA {train.ema_decay:g}",
            f"{measured.samples:,} pictures against {real} of the {measured.split} split by {measured.extractor}"
            + f", over training by {measured.curve_extractor}" * bool(measured.curve_extractor),
        ]


class CriticTrain(_Strict):
    """How a critic alone is trained; a step is a critic step."""

    steps: Count
    batch_size: Batch
    learning_rate: Rate
    betas: Betas
    decay: Literal["none", "linear"]
    threads: Few
    precision: Precision = "float32"


class CriticEvaluate(_Strict):
    """What is measured of a critic alone, and how often."""

    every: Count
    transport_points: Points
    critic_points: Points
    measures: Optional = ""


class CriticProtocol(_Protocol):
    """A comparison of methods that train a critic alone, between two distributions of known distance."""

    name: str
    trains: Literal["critic"]
    datasets: str
    architecture: str
    loss: str
    train: CriticTrain
    evaluate: CriticEvaluate

    example: ClassVar[str] = "w1"
    quick: ClassVar[dict[str, int]] = {"train.steps": 200, "evaluate.every": 100}

    @property
    def pictures(self) -> dict[str, Any]:
        """There are none."""
        return {}

    def in_words(self) -> list[str]:
        """What it says in short, line by line."""
        train = self.train
        return [
            f"{self.datasets}, {self.architecture}, {self.loss} loss, {train.steps:,} steps of a critic alone",
            f"batch {train.batch_size}, learning rate {train.learning_rate:g}, decay {train.decay}",
            f"gradient compared with the true one at {self.evaluate.transport_points:,} points",
        ]


class PointsTrain(_Strict):
    """How a generator of points and its critic are trained; a step is a generator step.

    Attributes:
        betas: of Adam; under ``sgd`` the first is its momentum, and the second decides nothing.
    """

    steps: Count
    critic_steps: Few
    batch_size: Batch
    generator_batch_size: Batch
    learning_rate: Rate
    generator_learning_rate: Rate
    optimiser: Optimiser = "adam"
    betas: Betas
    decay: Literal["none", "linear"]
    latent_dim: Batch
    ema_decay: Fraction
    threads: Few
    precision: Precision = "float32"


class PointsEvaluate(_Strict):
    """What is measured of generated points and of their critic, and how often."""

    every: Count
    samples: Samples
    critic_points: Points
    measures: Optional = ""


class PointsProtocol(_Protocol):
    """A comparison of methods that train a generator of points against a critic."""

    name: str
    trains: Literal["generator of points"]
    datasets: str
    architecture: str
    loss: str
    train: PointsTrain
    evaluate: PointsEvaluate

    example: ClassVar[str] = "modes"
    quick: ClassVar[dict[str, int]] = {"train.steps": 200, "evaluate.every": 100, "evaluate.samples": 500}

    @property
    def pictures(self) -> dict[str, Any]:
        """How many points are compared: as many generated as real ones."""
        return {"samples": self.evaluate.samples, "real_samples": self.evaluate.samples}

    def in_words(self) -> list[str]:
        """What it says in short, line by line."""
        train = self.train
        return [
            f"{self.datasets}, {self.architecture}, {self.loss} loss, {train.steps:,} steps of "
            f"{train.critic_steps} critic step{'s' * (train.critic_steps != 1)}",
            f"batch {train.batch_size}/{train.generator_batch_size} and learning rate {train.learning_rate:g}/"
            f"{train.generator_learning_rate:g} (critic/generator) of {train.optimiser}, decay {train.decay}, "
            f"EMA {train.ema_decay:g}",
            f"{self.evaluate.samples:,} generated points against as many real ones",
        ]


Model = type[Protocol] | type[CriticProtocol] | type[PointsProtocol]


def model_of(data: Any) -> Model:
    """The model of a protocol that is given as plain data, by what it trains."""
    if "trains" not in data:
        return Protocol
    return PointsProtocol if data["trains"] == "generator of points" else CriticProtocol


def _tag(value: Any) -> str:
    model = model_of(value) if isinstance(value, dict) else type(value)
    return model.__name__


# Chosen by what it trains, so that what is wrong is said of the one that was meant.
MODELS = (Protocol.__name__, CriticProtocol.__name__, PointsProtocol.__name__)
AnyProtocol = Annotated[
    Annotated[Protocol, Tag(MODELS[0])]
    | Annotated[CriticProtocol, Tag(MODELS[1])]
    | Annotated[PointsProtocol, Tag(MODELS[2])],
    Discriminator(_tag),
]


def adversarial(protocol: AnyProtocol) -> Protocol:
    """The protocol, if it trains a generator of pictures against a critic.

    Raises:
        RequestError: it trains a critic alone, or a generator of points.
    """
    if isinstance(protocol, Protocol):
        return protocol
    what = (
        "a critic alone, without a generator and pictures" if protocol.trains == "critic" else "a generator of points"
    )
    raise RequestError(
        f"protocol {protocol.name} trains {what}; expected a protocol with pictures for this, such as digits "
        f"(`lipbench protocols` lists them)"
    )
