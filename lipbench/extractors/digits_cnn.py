"""A small classifier of 8×8 digits whose weights come with lipbench.

``python -m lipbench.tools.train_digits_cnn`` trains it and prints its accuracy on held-out digits.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from lipbench.interfaces.dataset import to_unit
from lipbench.interfaces.extractor import Extractor

WEIGHTS = Path(__file__).with_name("digits_cnn.pt")


class DigitsCnn(Extractor):
    """The 64 features before the last layer, and the logits of the ten digits."""

    features = 64
    batch_size = 500
    shape = (1, 8, 8)
    # 1/64²: features of digits have a mean square of 63; with the usual 1/64, KID would show their third powers alone.
    kid_gamma = 0.000244140625

    def load(self) -> nn.Module:
        """Load the classifier."""
        classifier = DigitsClassifier()
        classifier.load_state_dict(torch.load(WEIGHTS, map_location="cpu", weights_only=True))
        return _OfBytes(classifier)

    def weights(self) -> Path:
        """Return the file that comes with lipbench."""
        return WEIGHTS


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

    def forward(self, pictures: Float[Tensor, "n 1 8 8"]) -> tuple[Float[Tensor, "n 64"], Float[Tensor, "n 10"]]:
        """Features (n, 64) and logits (n, 10)."""
        features = F.relu(self.body(pictures))
        return features, self.head(features)


class _OfBytes(nn.Module):
    def __init__(self, classifier: DigitsClassifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, pictures: UInt8[Tensor, "n 1 8 8"]) -> tuple[Float[Tensor, "n 64"], Float[Tensor, "n 10"]]:
        found: tuple[Tensor, Tensor] = self.classifier(to_unit(pictures))
        return found
