"""The kinds of plugins. Each is found, listed, given parameters, copied and hashed in the same way."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of plugin.

    Attributes:
        word: for people.
        base: the class of `lipbench` that plugins derive from.
        separator: between the words of a name; Python's modules can have underscores alone.
        given: how one is asked for.
        needs: the hooks without which it does nothing.
        one_of: hooks of which it has exactly one.
    """

    word: str
    base: str
    separator: str
    given: str
    needs: frozenset[str] = frozenset()
    one_of: frozenset[str] = frozenset()

    @property
    def copy(self) -> str:
        """What a user's own file is called in a run folder, without its ending."""
        return self.base.lower()

    @property
    def plural(self) -> str:
        """The command that lists what is known."""
        return _plural(self.copy)

    @property
    def group(self) -> str:
        """The group of entry points."""
        return f"lipbench.{self.plural}"

    @property
    def many(self) -> str:
        """The word for several."""
        return _plural(self.word)

    def canonical(self, stem: str) -> str:
        """The name of an installed plugin, however its words are joined."""
        return stem.replace("-", "_").replace("_", self.separator)


def _plural(word: str) -> str:
    return f"{word}es" if word.endswith("s") else f"{word}s"


METHOD = Kind("method", "Method", "_", "--methods {}")
DATASET = Kind("data set", "Dataset", "-", "--datasets {}", frozenset({"load"}))
ARCHITECTURE = Kind("architecture", "Architecture", "-", "--set architecture={}", frozenset({"make"}))
LOSS = Kind("loss", "Loss", "-", "--set loss={}", frozenset({"critic", "generator"}))
EXTRACTOR = Kind("extractor", "Extractor", "-", "--set evaluate.extractor={}", frozenset({"load"}))
MEASURE = Kind(
    "measure",
    "Measure",
    "_",
    "--measures {}",
    one_of=frozenset({"of_pictures", "of_features", "of_points", "of_critic"}),
)
LAUNCHER = Kind("launcher", "Launcher", "-", "--on {}", frozenset({"launch"}))

KINDS = (METHOD, DATASET, ARCHITECTURE, LOSS, EXTRACTOR, MEASURE, LAUNCHER)
BY_BASE = {kind.base: kind for kind in KINDS}
