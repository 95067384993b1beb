"""Generated pictures: drawn at given latents, written as a grid."""

from io import BytesIO

import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor, nn
from torchvision.utils import make_grid

from lipbench.interfaces.dataset import to_bytes

BATCH = 500


@torch.no_grad()
def generate(generator: nn.Module, latents: Float[Tensor, "n z"]) -> UInt8[Tensor, "n c h w"]:
    """The pictures of `generator`, in the mode that it is in, as bytes on its own device."""
    return torch.cat([to_bytes(generator(part)) for part in latents.split(BATCH)])


def grid_png(pictures: UInt8[Tensor, "n c h w"], columns: int, least_width: int = 320) -> bytes:
    """A PNG of the pictures in rows; small ones are enlarged by a whole factor, without smoothing."""
    grid = make_grid(pictures, nrow=columns, padding=1, pad_value=255).cpu()
    image = Image.fromarray(grid.permute(1, 2, 0).numpy())
    factor = max(1, -(-least_width // image.width))
    image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    file = BytesIO()
    image.save(file, format="PNG", optimize=True)
    return file.getvalue()
