"""The extractor for digits: a small classifier whose weights come with lipbench.

``python -m lipbench.tools.train_digits_cnn`` trains it and prints its accuracy on held-out digits.
"""

from functools import cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_fidelity import FeatureExtractorBase

from lipbench.interfaces.dataset import to_unit

WEIGHTS = Path(__file__).with_name("digits_cnn.pt")
FEATURES = {"features": 64, "logits": 10}


class DigitsClassifier(nn.Module):
    """Two convolutions and two linear layers, 8×8 grey pictures in [−1, 1] → 64 features and 10 logits."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 4 * 4, 64),
        )
        self.head = nn.Linear(64, 10)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Features (n, 64) and logits (n, 10)."""
        features = F.relu(self.body(pictures))
        return features, self.head(features)


class DigitsExtractor(FeatureExtractorBase):  # type: ignore[misc]  # torch-fidelity has no types
    """The classifier as torch-fidelity wants it: bytes in, a tuple of the wanted features out."""

    def __init__(self, name: str, features_list: list[str], **_: Any) -> None:
        super().__init__(name, features_list)
        self.classifier = DigitsClassifier()
        self.classifier.load_state_dict(_weights())

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """Extract from (n, 1, 8, 8) bytes."""
        given = dict(zip(FEATURES, self.classifier(to_unit(pictures)), strict=True))
        return tuple(given[name] for name in self.features_list)

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        """The names of what it can extract."""
        return tuple(FEATURES)

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        """Inception Score needs class probabilities, FID and KID features."""
        return "logits" if metric == "isc" else "features"

    @staticmethod
    def can_be_compiled() -> bool:
        """Compiling takes longer than all that it would save."""
        return False

    @staticmethod
    def get_dummy_input_for_compile() -> Tensor:
        """One blank picture."""
        return torch.zeros(1, 1, 8, 8, dtype=torch.uint8)


@cache  # the extractor is made anew at each evaluation
def _weights() -> dict[str, Tensor]:
    state: dict[str, Tensor] = torch.load(WEIGHTS, map_location="cpu", weights_only=True)
    return state
