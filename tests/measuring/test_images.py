"""Generated pictures."""

from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import nn

from lipbench.measuring.images import generate, grid_png


def test_pictures_are_made_in_parts_and_in_order() -> None:
    generator = nn.Sequential(nn.Unflatten(1, (1, 1, 1)))
    latents = torch.linspace(-1, 1, 1201)[:, None]
    pictures = generate(generator, latents)
    assert pictures.shape == (1201, 1, 1, 1)
    assert (pictures.flatten().diff(prepend=pictures.new_zeros(1)).int() >= 0).all()


def test_a_grid_shows_every_picture_enlarged_without_smoothing() -> None:
    pictures = torch.randint(0, 255, (6, 1, 8, 8)).to(torch.uint8)
    image = Image.open(BytesIO(grid_png(pictures, columns=3, least_width=100)))
    factor = image.width // 28
    assert factor * 28 == image.width >= 100
    small = np.asarray(image)[::factor, ::factor, 0]
    assert np.array_equal(small[1:9, 1:9], pictures[0, 0].numpy())
    assert np.array_equal(small[10:18, 19:27], pictures[5, 0].numpy())
