"""A small classifier of 8×8 digits whose weights come with lipbench: 350 of 359 held-out digits right."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from lipbench.extractors import _classifiers


class DigitsCnn(_classifiers.Shipped):
    """The 64 features before the last layer, and the logits of the ten digits."""

    _file = "digits_cnn.pt"
    features = 64
    shape = (1, 8, 8)
    # 1/64²: features of digits have a mean square of 63; with the usual 1/64, KID would show their third powers alone.
    kid_gamma = 0.000244140625

    def network(self) -> nn.Module:
        """Two convolutions and two linear layers."""
        return _Network()


class _Network(nn.Module):
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
        features = F.relu(self.body(pictures))
        return features, self.head(features)
