"""The Inception network of published FIDs: torch-fidelity's port of the TensorFlow graph of 2015-12-05.

Paper: Heusel et al. 2017, arXiv:1706.08500
Also: inception, inception-v3
"""

from io import BytesIO
from pathlib import Path

import torch
from torch import nn
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3

from lipbench.disk.places import inception_weights
from lipbench.extractors import _published
from lipbench.interfaces.extractor import Extractor

WHAT = "Inception weights"
NO_SCORE = (
    "No Inception Score: the last layer of the Inception weights is empty, so every picture would get the same classes "
    f"and the score would be 1. Weights with it: {URL_INCEPTION_V3}"
)


class InceptionV3(Extractor):
    """Its 2048 pooled features and, where the weights have a last layer, its logits."""

    features = 2048
    seconds_per_picture = 0.1

    def load(self) -> nn.Module:
        """Load the weights; where they have no last layer, ``no_score`` of the network says so."""
        expected = f"the state dict that torch-fidelity publishes ({URL_INCEPTION_V3})"
        return _published.load(WHAT, self.weights(), _network, expected)

    def weights(self) -> Path:
        """Return the file that the user named, or the one that torch-fidelity publishes, downloaded once."""
        named = inception_weights()
        if named is not None:
            expected = "a file of torch-fidelity's weights, named by --inception-weights or LIPBENCH_INCEPTION"
            return _published.given(WHAT, named, expected)
        cure = "name the file by --inception-weights or LIPBENCH_INCEPTION"
        return _published.fetched(WHAT, URL_INCEPTION_V3, URL_INCEPTION_V3.rpartition("/")[2], cure)


def _network(state: _published.State) -> nn.Module:
    plain = BytesIO()  # torch-fidelity would unpickle whatever the user's file holds
    torch.save(state, plain)
    plain.seek(0)
    scored = bool(state["fc.weight"].any())
    layers = ["2048", "logits_unbiased"] if scored else ["2048"]
    network: nn.Module = FeatureExtractorInceptionV3(
        "inception-v3-compat", layers, feature_extractor_weights_path=plain, verbose=False
    )
    network = network.to(memory_format=torch.channels_last)  # a third quicker on a CPU, and equal to 1e-6
    network.no_score = None if scored else NO_SCORE  # type: ignore[assignment]  # torch declares tensors and modules
    return network
