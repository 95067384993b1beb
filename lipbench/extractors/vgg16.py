"""VGG-16 trained on ImageNet, as torch-fidelity uses it.

Paper: Simonyan & Zisserman 2015, arXiv:1409.1556
Also: vgg
"""

from pathlib import Path

import torch
from torch import nn
from torchvision.models import VGG16_Weights, vgg16

from lipbench.extractors import _published
from lipbench.interfaces.extractor import Extractor

WHAT = "VGG-16 weights"
URL: str = VGG16_Weights.IMAGENET1K_V1.url


class Vgg16(Extractor):
    """The 4096 features of the second fully connected layer, after its ReLU; `path` is a file of weights."""

    features = 4096
    seconds_per_picture = 0.4
    path: str = ""

    def load(self) -> nn.Module:
        """Load the weights."""
        return _published.load(WHAT, self.weights(), _network, f"the state dict that torchvision publishes ({URL})")

    def weights(self) -> Path:
        """Return the file at `path`, or the one that torchvision publishes, downloaded once."""
        if self.path:
            return _published.given(WHAT, self.path, f"a copy of {URL}")
        return _published.fetched(WHAT, URL, URL.rpartition("/")[2], "put the file there, or give path=…")


def _network(state: _published.State) -> nn.Module:
    with torch.device("meta"):  # a hundred million weights that need not be drawn
        network = vgg16()
    network.load_state_dict(state, assign=True)
    network.classifier = network.classifier[:5]
    return _published.Resized(network, 224, *_published.IMAGENET)
