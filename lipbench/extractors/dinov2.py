"""DINOv2's vision transformers, as torch-fidelity uses them.

Their code is not fetched: ``git clone https://github.com/facebookresearch/dinov2`` into torch's hub folder as
``facebookresearch_dinov2_main``, or ``torch.hub.load("facebookresearch/dinov2", "dinov2_vitb14")`` once, which brings
the weights, too.

Paper: Oquab et al. 2023, arXiv:2304.07193
Also: dino, dino-v2
"""

import os
import warnings
from pathlib import Path

import torch
from torch import nn

from lipbench.errors import RequestError
from lipbench.extractors import _published

WHAT = "DINOv2 weights"
FEATURES = {"vit-s-14": 384, "vit-b-14": 768, "vit-l-14": 1024, "vit-g-14": 1536}


class DinoV2(_published.OfVariants):
    """The features of the class token; `variant` is the transformer's size, `path` a file of weights."""

    _features = FEATURES
    seconds_per_picture = 0.4
    variant: str = "vit-b-14"

    def load(self) -> nn.Module:
        """Load the weights into the network that the code in torch's hub folder makes."""
        path, code = self.weights(), Path(torch.hub.get_dir(), "facebookresearch_dinov2_main")
        if not (code / "hubconf.py").is_file():
            raise RequestError(
                f"the code of DINOv2 is not at {str(code)!r}; expected a copy of "
                f"https://github.com/facebookresearch/dinov2 there: {self._cure}"
            )
        os.environ["XFORMERS_DISABLED"] = "1"  # its kernels give other numbers

        def network(state: _published.State) -> nn.Module:
            with warnings.catch_warnings(action="ignore", category=UserWarning):
                made = torch.hub.load(str(code), self._name, source="local", pretrained=False)
            made.load_state_dict(state)
            return _published.Resized(made, 224, *_published.IMAGENET)

        return _published.load(WHAT, path, network, f"the state dict that is published as {self._name}_pretrain.pth")

    def weights(self) -> Path:
        """Return the file at `path`, or the one that torch's hub keeps; nothing is downloaded."""
        expected = f"{self._name}_pretrain.pth: {self._cure}"
        return _published.given(WHAT, self.path or _published.kept(f"{self._name}_pretrain.pth"), expected)

    @property
    def _name(self) -> str:
        return f"dinov2_{self.variant.replace('-', '')}"

    @property
    def _cure(self) -> str:
        return f"""python -c 'import torch; torch.hub.load("facebookresearch/dinov2", "{self._name}")' brings both"""
