"""The Inception network of published FIDs: where its weights are, and what they can tell.

Paper: Heusel et al. 2017, arXiv:1706.08500; torch-fidelity's port of the TensorFlow graph of 2015-12-05
"""

from functools import cache
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3

from lipbench.disk.places import exclusive, inception_weights
from lipbench.errors import RequestError

NAME = "inception-v3-compat"
FEATURES = 2048


def find_weights() -> Path:
    """The weights that the user named, or those that torch-fidelity publishes, downloaded once.

    Raises:
        RequestError: they are not there and cannot be downloaded.
    """
    given = inception_weights()
    if given is not None:
        return given
    name = URL_INCEPTION_V3.rpartition("/")[2]
    path = Path(torch.hub.get_dir(), "checkpoints", name)
    if path.exists():  # perhaps where nobody may write
        return path
    try:
        with exclusive(path.with_suffix(".lock")):
            if not path.exists():  # it appears under its name when it is whole and its digest is right
                digest = path.stem.rpartition("-")[2]
                torch.hub.download_url_to_file(URL_INCEPTION_V3, str(path), hash_prefix=digest)
    except (OSError, RuntimeError) as error:
        raise RequestError(
            f"the Inception weights are not at {str(path)!r} and cannot be downloaded ({error}); expected {name} as "
            f"torch-fidelity publishes it: name the file by --inception-weights or LIPBENCH_INCEPTION; where there is "
            f"a network, `lipbench prepare` brings it"
        ) from None
    return path


def check_weights(path: Path) -> str | None:
    """See that the network loads these weights.

    Returns:
        Why they give no Inception Score, or None where they do.

    Raises:
        RequestError: the file is missing, damaged, or of another network.
    """
    try:
        about = path.stat()
    except OSError as error:
        raise RequestError(
            f"Inception weights {str(path)!r}: {error.strerror}; expected a file of torch-fidelity's weights, "
            f"named by --inception-weights or LIPBENCH_INCEPTION"
        ) from None
    return _check(path, about.st_size, about.st_mtime_ns)


@cache  # by size and time of change as well: a file may be replaced while a notebook is open
def _check(path: Path, size: int, changed: int) -> str | None:
    try:
        # Read here without running code from it: torch-fidelity itself would unpickle whatever the file holds.
        state = torch.load(path, map_location="cpu", weights_only=True)
        FeatureExtractorInceptionV3(NAME, ["logits_unbiased"], feature_extractor_weights_path=str(path), verbose=False)
        empty = not bool(state["fc.weight"].any())
    except Exception as error:  # torch raises whatever the damage makes it trip over
        said = " ".join(str(error).split())[:200] or type(error).__name__
        reason = "it is not a checkpoint of plain tensors" if isinstance(error, UnpicklingError) else said
        raise RequestError(
            f"Inception weights {str(path)!r} ({size:,} bytes) cannot be used: {reason}; expected the state dict that "
            f"torch-fidelity publishes ({URL_INCEPTION_V3})"
        ) from None
    return (
        "No Inception Score: the last layer of the Inception weights is empty, so every picture would get the same "
        f"classes and the score would be 1. Weights with it: {URL_INCEPTION_V3}"
        if empty
        else None
    )
