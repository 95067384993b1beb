"""lipbench compares the ways of making a neural critic Lipschitz.

The command line (``lipbench run``, ``lipbench report``) is a thin skin over `run`, `check`, `report`, `prepare`,
`evaluate`, `cost` and `load`.
Names are imported on first use, so that ``import lipbench`` never imports torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lipbench.api import load as load
    from lipbench.api import report as report
    from lipbench.api import run as run
    from lipbench.checks import check as check
    from lipbench.costing import cost as cost
    from lipbench.dataset import Dataset as Dataset
    from lipbench.dataset import Pictures as Pictures
    from lipbench.errors import LipbenchError as LipbenchError
    from lipbench.evaluation import evaluate as evaluate
    from lipbench.evaluation import prepare as prepare
    from lipbench.method import Method as Method
    from lipbench.pair import Pair as Pair
    from lipbench.runner.listener import Listener as Listener
    from lipbench.train.matrices import matrices as matrices

__version__ = "0.1.0"
__all__ = [
    "Dataset",
    "LipbenchError",
    "Listener",
    "Method",
    "Pair",
    "Pictures",
    "__version__",
    "check",
    "cost",
    "evaluate",
    "load",
    "matrices",
    "prepare",
    "report",
    "run",
]

_HOME = {
    "Dataset": "lipbench.dataset",
    "LipbenchError": "lipbench.errors",
    "Listener": "lipbench.runner.listener",
    "Method": "lipbench.method",
    "Pair": "lipbench.pair",
    "Pictures": "lipbench.dataset",
    "check": "lipbench.checks",
    "cost": "lipbench.costing",
    "evaluate": "lipbench.evaluation",
    "load": "lipbench.api",
    "matrices": "lipbench.train.matrices",
    "prepare": "lipbench.evaluation",
    "report": "lipbench.api",
    "run": "lipbench.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'lipbench' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
