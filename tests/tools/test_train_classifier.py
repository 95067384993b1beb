"""Training the classifiers that come with lipbench."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from lipbench.tools.train_classifier import RECIPES, main, varied

PLAIN = replace(RECIPES["cifar10"], shift=0, flips=False)
PICTURES = torch.randint(0, 256, (64, 3, 4, 5), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def test_a_few_passes_make_a_file_in_the_recipes_type_whose_accuracy_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "digits", replace(RECIPES["digits"], epochs=4, stored=torch.float16))
    path = tmp_path / "digits.pt"
    done = CliRunner().invoke(main, ["digits", str(path)])
    found = re.fullmatch(r"(\d+) of 359 held-out pictures right \([\d.]+%\); weights in .*digits.pt\n", done.output)
    assert found is not None
    assert int(found[1]) > 300
    assert {part.dtype for part in torch.load(path, weights_only=True).values()} == {torch.float16}


def test_half_the_pictures_are_mirrored() -> None:
    found = varied(PICTURES, replace(PLAIN, flips=True), torch.Generator().manual_seed(0))
    same, mirrored = (sum(map(torch.equal, found, wanted)) for wanted in (PICTURES, PICTURES.flip(3)))
    assert same + mirrored == len(PICTURES)
    assert abs(same - mirrored) < 24  # three standard deviations


def test_pictures_are_moved_by_as_many_pixels_as_are_allowed_with_black_at_the_edge() -> None:
    point = torch.zeros(64, 1, 5, 5, dtype=torch.uint8)
    point[:, :, 2, 2] = 255
    found = varied(point, replace(PLAIN, shift=2), torch.Generator().manual_seed(0)).flatten(1)
    assert found.sum(1).tolist() == [255] * 64
    places = found.argmax(1)
    assert set((places // 5).tolist()) == set((places % 5).tolist()) == {0, 1, 2, 3, 4}
    everywhere = varied(torch.full((64, 1, 5, 5), 255).to(torch.uint8), replace(PLAIN, shift=2), torch.Generator())
    assert set((everywhere == 0).flatten(1).sum(1).tolist()) <= {0, 5, 9, 10, 13, 16}


def test_without_either_they_stay_as_they_are() -> None:
    assert varied(PICTURES, PLAIN, torch.Generator()) is PICTURES
