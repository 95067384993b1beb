"""Shared by all tests: shapes and types of the whole package are checked while testing, and nothing leaves tmp_path."""

from jaxtyping import install_import_hook

# Before anything of the package is imported, so that every function of it is checked.
install_import_hook(["lipbench", "lipbench_methods"], "beartype.beartype")

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings

from lipbench.disk.store import RunFolder
from lipbench.request.plan import plan
from lipbench.train.streams import kept
from lipbench.work.run import work

torch.set_num_threads(1)  # several workers share the cores
# No deadline: the first example of a property pays for imports. The same examples everywhere.
settings.register_profile("lipbench", deadline=None, derandomize=True)
settings.load_profile("lipbench")

# A run of a second: everything happens at least once.
TINY = {
    "train.steps": 6,
    "evaluate.every": 3,
    "evaluate.samples": 64,
    "evaluate.kid_subset_size": 32,
    "evaluate.kid_subsets": 2,
    "evaluate.isc_splits": 2,
    "evaluate.critic_points": 16,
}
# The same of a critic alone.
TINY_ALONE = {
    "train.steps": 6,
    "train.batch_size": 32,
    "evaluate.every": 3,
    "evaluate.transport_points": 64,
    "evaluate.critic_points": 16,
}
# And of a generator of points.
TINY_POINTS = {
    "train.steps": 6,
    "train.batch_size": 16,
    "train.generator_batch_size": 16,
    "evaluate.every": 3,
    "evaluate.samples": 64,
    "evaluate.critic_points": 16,
}
TINY_OF = {"w1": TINY_ALONE, "modes": TINY_POINTS, "dirac": TINY_POINTS}


@pytest.fixture(autouse=True, scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Keep statistics of real pictures out of the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIPBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("MPLBACKEND", "agg")
        yield


@pytest.fixture(autouse=True)
def _random_state() -> Any:
    """Leave no trace in the global random states."""
    with kept():
        torch.manual_seed(0)
        yield


MakeRun = Callable[..., RunFolder]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Make the folder of one tiny run below tmp_path; `finished` also works on it, in this process."""

    def make(
        methods: str = "gn",
        *,
        seed: int = 0,
        finished: bool = False,
        results: str = "results",
        protocol: str = "digits",
        datasets: str | None = None,
        **overrides: Any,
    ) -> RunFolder:
        changed = {key.replace("__", "."): value for key, value in overrides.items()}
        data = "ring" if protocol == "modes" and datasets is None else datasets  # of two, one
        (planned,) = plan(methods, data, [seed], protocol, TINY_OF.get(protocol, TINY) | changed)
        folder = RunFolder(tmp_path / results / "runs" / planned.cell.run_id)
        folder.create(planned.cell.to_json(), planned.contents())
        if finished:
            work(folder, "cpu", lambda step: None, ["lipbench", "run"])
        return folder

    return make
