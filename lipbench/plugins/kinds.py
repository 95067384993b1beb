"""The kinds of plugins. Each is found, listed, given parameters, copied and hashed in the same way."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of plugin.

    Attributes:
        word: for people.
        plural: the command that lists what is known, and the group of entry points.
        base: the class of `lipbench` that plugins derive from.
        separator: between the words of a name; Python's modules can have underscores alone.
        copy: what a user's own file is called in a run folder, without its ending.
        given: how one is asked for.
        needs: the hooks without which it does nothing.
        one_of: hooks of which it has exactly one.
    """

    word: str
    plural: str
    base: str
    separator: str
    copy: str
    given: str
    needs: frozenset[str] = frozenset()
    one_of: frozenset[str] = frozenset()

    @property
    def many(self) -> str:
        """The word for several."""
        return f"{self.word}es" if self.word.endswith("s") else f"{self.word}s"

    @property
    def group(self) -> str:
        """The group of entry points."""
        return f"lipbench.{self.plural}"

    @property
    def command(self) -> str:
        """The command that lists what is known."""
        return f"lipbench {self.plural}"

    def canonical(self, stem: str) -> str:
        """The name of an installed plugin, however its words are joined."""
        return stem.replace("-", "_").replace("_", self.separator)


METHOD = Kind("method", "methods", "Method", "_", "method", "--methods {}")
DATASET = Kind("data set", "datasets", "Dataset", "-", "dataset", "--datasets {}", frozenset({"load"}))
ARCHITECTURE = Kind(
    "architecture", "architectures", "Architecture", "-", "architecture", "--set architecture={}", frozenset({"make"})
)
LOSS = Kind("loss", "losses", "Loss", "-", "loss", "--set loss={}", frozenset({"critic", "generator"}))
EXTRACTOR = Kind(
    "extractor", "extractors", "Extractor", "-", "extractor", "--set evaluate.extractor={}", frozenset({"load"})
)
MEASURE = Kind(
    "measure", "measures", "Measure", "_", "measure", "--measures {}",
    one_of=frozenset({"of_pictures", "of_features", "of_critic"}),
)  # fmt: skip

KINDS = (METHOD, DATASET, ARCHITECTURE, LOSS, EXTRACTOR, MEASURE)
BY_BASE = {kind.base: kind for kind in KINDS}
