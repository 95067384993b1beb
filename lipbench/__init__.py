"""lipbench compares the ways of making a neural critic Lipschitz.

The command line (``lipbench run``, ``lipbench report``) is a thin skin over `run`, `check`, `report`, `merge`,
`prepare`, `evaluate`, `audit`, `picture`, `cost` and `load`.
Names are imported on first use, so that ``import lipbench`` never imports torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lipbench.version import VERSION

if TYPE_CHECKING:
    from lipbench.api.auditing import audit as audit
    from lipbench.api.merging import merge as merge
    from lipbench.api.networks import check as check
    from lipbench.api.networks import cost as cost
    from lipbench.api.picturing import picture as picture
    from lipbench.api.running import load as load
    from lipbench.api.running import report as report
    from lipbench.api.running import run as run
    from lipbench.api.scoring import evaluate as evaluate
    from lipbench.api.scoring import prepare as prepare
    from lipbench.errors import LipbenchError as LipbenchError
    from lipbench.interfaces.architecture import Architecture as Architecture
    from lipbench.interfaces.dataset import Dataset as Dataset
    from lipbench.interfaces.dataset import Pictures as Pictures
    from lipbench.interfaces.distribution import Distribution as Distribution
    from lipbench.interfaces.extractor import Extractor as Extractor
    from lipbench.interfaces.launcher import Launcher as Launcher
    from lipbench.interfaces.loss import Loss as Loss
    from lipbench.interfaces.measure import Measure as Measure
    from lipbench.interfaces.method import Method as Method
    from lipbench.interfaces.modes import Modes as Modes
    from lipbench.interfaces.pair import Pair as Pair
    from lipbench.launch.listener import Listener as Listener
    from lipbench.train.matrices import matrices as matrices

__version__ = VERSION
__all__ = [
    "Architecture",
    "Dataset",
    "Distribution",
    "Extractor",
    "Launcher",
    "LipbenchError",
    "Listener",
    "Loss",
    "Measure",
    "Method",
    "Modes",
    "Pair",
    "Pictures",
    "__version__",
    "audit",
    "check",
    "cost",
    "evaluate",
    "load",
    "matrices",
    "merge",
    "picture",
    "prepare",
    "report",
    "run",
]

_HOME = {
    "Architecture": "lipbench.interfaces.architecture",
    "Dataset": "lipbench.interfaces.dataset",
    "Distribution": "lipbench.interfaces.distribution",
    "Extractor": "lipbench.interfaces.extractor",
    "Launcher": "lipbench.interfaces.launcher",
    "LipbenchError": "lipbench.errors",
    "Listener": "lipbench.launch.listener",
    "Loss": "lipbench.interfaces.loss",
    "Measure": "lipbench.interfaces.measure",
    "Method": "lipbench.interfaces.method",
    "Modes": "lipbench.interfaces.modes",
    "Pair": "lipbench.interfaces.pair",
    "Pictures": "lipbench.interfaces.dataset",
    "audit": "lipbench.api.auditing",
    "check": "lipbench.api.networks",
    "cost": "lipbench.api.networks",
    "evaluate": "lipbench.api.scoring",
    "load": "lipbench.api.running",
    "matrices": "lipbench.train.matrices",
    "merge": "lipbench.api.merging",
    "picture": "lipbench.api.picturing",
    "prepare": "lipbench.api.scoring",
    "report": "lipbench.api.running",
    "run": "lipbench.api.running",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'lipbench' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
