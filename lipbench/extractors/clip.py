"""CLIP's picture encoders, as torch-fidelity uses them.

Paper: Radford et al. 2021, arXiv:2103.00020
"""

import warnings
from hashlib import file_digest
from pathlib import Path

import torch
from torch import nn
from torch_fidelity.feature_extractor_clip import MODEL_METADATA, MODEL_URLS, build_model

from lipbench.extractors import _published

WHAT = "CLIP weights"
FEATURES = {
    "rn50": 1024,
    "rn101": 512,
    "rn50x4": 640,
    "rn50x16": 768,
    "rn50x64": 1024,
    "vit-b-32": 512,
    "vit-b-16": 512,
    "vit-l-14": 768,
    "vit-l-14-336px": 768,
}
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class Clip(_published.OfVariants):
    """The features that CLIP compares with those of texts; `variant` is the encoder, `path` a file of weights."""

    _features = FEATURES
    seconds_per_picture = 0.1
    variant: str = "vit-b-32"

    def load(self) -> nn.Module:
        """Load the weights: a file that OpenAI publishes, or a state dict of plain tensors."""
        path, expected = self.weights(), f"a copy of {self._url}, or a state dict with its names"
        with path.open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != self._digest:
                return _published.load(WHAT, path, _network, expected)
        with warnings.catch_warnings(action="ignore"):  # torch means to drop such files
            archive = torch.jit.load(path, map_location="cpu")  # a program, but the published one
        return _network(archive.state_dict())

    def weights(self) -> Path:
        """Return the file at `path`, or the one that OpenAI publishes, downloaded once."""
        if self.path:
            return _published.given(WHAT, self.path, f"a copy of {self._url}")
        name = f"clip-{self.variant}-{self._digest}.pt"
        return _published.fetched(WHAT, self._url, name, "put the file there, or give path=…")

    @property
    def _url(self) -> str:
        return str(MODEL_URLS[f"clip-{self.variant}"])

    @property
    def _digest(self) -> str:
        return str(MODEL_METADATA[f"clip-{self.variant}"]["hash"])


def _network(state: _published.State) -> nn.Module:
    encoder = build_model(dict(state), torch.float32).visual
    return _published.Resized(encoder, encoder.input_resolution, MEAN, DEVIATION)
