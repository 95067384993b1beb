"""Small classifiers whose weights come with lipbench: they read bytes, and give their last features and logits.

``python -m lipbench.tools.train_classifier NAME`` trains one and prints its accuracy on held-out pictures.
"""

from pathlib import Path
from typing import ClassVar

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from lipbench.interfaces.dataset import to_unit
from lipbench.interfaces.extractor import Extractor


class Shipped(Extractor):
    """A classifier whose file of weights lies beside this one; pictures are those of its data set."""

    _file: ClassVar[str]
    batch_size = 500

    def network(self) -> nn.Module:
        """Return the classifier with new weights: pictures in [−1, 1] → features and logits."""
        raise NotImplementedError

    def load(self) -> nn.Module:
        """Load the classifier, in eval mode."""
        classifier = self.network()
        classifier.load_state_dict(torch.load(self.weights(), map_location="cpu", weights_only=True))
        return _OfBytes(classifier).eval()

    def weights(self) -> Path:
        """Return the file that comes with lipbench."""
        return Path(__file__).with_name(self._file)


class Convolutional(Shipped):
    """Four convolutions with batch norm, averaged over a picture of 32×32, and a linear layer: some 240,000 weights."""

    features = 128
    shape: ClassVar[tuple[int, int, int]]
    kid_gamma = 0.078125  # 1 / (128 · .1): the features have a mean square of .1
    seconds_per_picture = 0.0003

    def network(self) -> nn.Module:
        """Return it with new weights."""
        return _Convolutional(self.shape[0])


class _Convolutional(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(channels, 32, 4, stride=2),
            *_convolution(32, 64, 3),
            nn.MaxPool2d(2),
            *_convolution(64, 128, 3),
            nn.MaxPool2d(2),
            *_convolution(128, 128, 3),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.head = nn.Linear(128, 10)
        self.to(memory_format=torch.channels_last)  # quicker on a CPU

    def forward(self, pictures: Float[Tensor, "n c 32 32"]) -> tuple[Float[Tensor, "n 128"], Float[Tensor, "n 10"]]:
        features = self.body(pictures)
        return features, self.head(features)


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


class _OfBytes(nn.Module):
    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, pictures: UInt8[Tensor, "n c h w"]) -> tuple[Float[Tensor, "n k"], Float[Tensor, "n 10"]]:
        found: tuple[Tensor, Tensor] = self.classifier(to_unit(pictures))
        return found
