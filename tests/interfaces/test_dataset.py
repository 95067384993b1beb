"""What a data set may hold: bytes of one shape; anything else is refused with the expression that makes it right."""

import re
from typing import Any

import numpy as np
import pytest
import torch

from lipbench.errors import PluginError
from lipbench.interfaces.dataset import Pictures, remarks, to_unit
from tests.pictures import noise

BYTES = torch.from_numpy(noise(40, 3, 8, 8))
GREY = BYTES[:, :1]


def refusal(x: Any) -> str:
    """The message, which is the same for either part."""
    with pytest.raises(PluginError) as of_train:
        Pictures(train=x, held_out=BYTES)
    with pytest.raises(PluginError) as of_held_out:
        Pictures(train=BYTES, held_out=x)
    message = str(of_train.value)
    assert message.removeprefix("train") == str(of_held_out.value).removeprefix("held_out")
    return message


def cured(x: Any) -> Any:
    """What the expression of the message makes of it."""
    (expression,) = re.findall(r": give (.*)$", refusal(x))
    return eval(expression, {"x": x, "torch": torch})


def test_bytes_of_one_shape_are_pictures() -> None:
    pictures = Pictures(train=BYTES, held_out=BYTES[:5], notes=("seen",))
    assert pictures.shape == (3, 8, 8)
    assert len(pictures.split("all")) == 45


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (BYTES.numpy(), BYTES),
        (GREY[:, 0], GREY),
        (GREY[:, 0].numpy(), GREY),
        (BYTES.permute(0, 2, 3, 1), BYTES),
        (GREY.permute(0, 2, 3, 1).numpy(), GREY),
        (BYTES.long(), BYTES),
        (BYTES.numpy().astype(np.uint16), BYTES),
        (BYTES / 255, BYTES),
        ((BYTES / 255).half().float(), BYTES),
        (GREY[:, 0].numpy() / 255, GREY),
        (to_unit(BYTES), BYTES),
        (GREY > 127, 255 * (GREY > 127).to(torch.uint8)),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_the_cure_of_a_message_is_right(given: Any, wanted: torch.Tensor) -> None:
    found = cured(given)
    assert found.dtype == torch.uint8
    assert torch.equal(found, wanted)
    Pictures(train=found, held_out=found)


@pytest.mark.parametrize(
    ("given", "described"),
    [
        (GREY[:, 0].numpy(), r"an array of uint8 from 0 to 255 with the shape \(40, 8, 8\)"),
        (BYTES / 255, r"a tensor of float32 from 0 to 1 with the shape \(40, 3, 8, 8\)"),
        (BYTES.char(), r"a tensor of int8 from -128 to 127 .*: bring train and held_out by one scale to 0..255"),
        (BYTES.long() * 257, r"a tensor of int64 from 0 to 65535 .*: bring train and held_out by one scale"),
        (BYTES.float(), r"a tensor of float32 from 0 to 255 .*: bring .* by one scale to 0..255, then give x.round"),
        (BYTES * torch.nan, r"a tensor of float32 from nan to nan .* where its NaN or infinite values come from"),
        (
            torch.arange(9 * 64).view(9, 64) / 576,
            r"with the shape \(9, 64\).*give \(255 \* x.reshape\(n, c, h, w\)\).round",
        ),
        (BYTES.to("meta"), r"a tensor of uint8 with the shape .* on meta.*: give x.cpu\(\)"),
        (list(BYTES), r"train is of type list; .*: torch.stack\(x\) makes one"),
        (None, r"train is of type NoneType; expected a tensor of bytes .* on the CPU$"),
        (np.array(["a"]), r"train is of type ndarray of <U1"),
        (BYTES.to(torch.complex64), r"train is of type Tensor of torch.complex64"),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_a_message_says_what_was_given_and_what_was_expected(given: Any, described: str) -> None:
    message = refusal(given)
    assert re.search(described, message)
    assert "expected a tensor of bytes from 0 to 255 (torch.uint8) with the shape (n, c, h, w), on the CPU" in message


def test_an_empty_part_is_refused() -> None:
    for train, held_out in ((BYTES[:0], BYTES), (BYTES, BYTES[:0]), (BYTES[..., :0], BYTES[..., :0])):
        with pytest.raises(PluginError, match=r"the shape \(.*\b0\b.*; expected some pictures of both"):
            Pictures(train, held_out)


def test_a_held_out_part_of_another_shape_is_refused() -> None:
    with pytest.raises(PluginError, match=r"train have the shape \(3, 8, 8\) and those of held_out \(3, 4, 8\)"):
        Pictures(train=BYTES, held_out=BYTES[:, :, :4])


def test_notes_that_are_one_string_are_refused() -> None:
    with pytest.raises(PluginError, match=r"notes is 'seen'; expected a tuple of sentences: notes=\('…',\)"):
        Pictures(train=BYTES, held_out=BYTES, notes="seen")  # type: ignore[arg-type]


class TestRemarks:
    def test_of_good_pictures_are_the_notes_that_came_with_them(self) -> None:
        assert remarks(Pictures(BYTES[:30], BYTES[30:], ("seen",))) == ["seen"]

    def test_of_one_training_picture_do_not_say_that_all_are_equal(self) -> None:
        assert remarks(Pictures(BYTES[:1], BYTES[1:])) == []

    def test_say_that_all_training_pictures_are_equal(self) -> None:
        assert remarks(Pictures(BYTES[:1].repeat(5, 1, 1, 1), BYTES[30:])) == ["all 5 training pictures are equal"]

    def test_say_that_training_pictures_are_repeated(self) -> None:
        (said,) = remarks(Pictures(BYTES[:10].repeat(2, 1, 1, 1), BYTES[30:]))
        assert said == "of 20 training pictures only 10 differ from one another"

    @pytest.mark.parametrize("held_out", [BYTES, BYTES.flip(0), BYTES[:4]])
    def test_say_that_held_out_pictures_are_training_pictures(self, held_out: torch.Tensor) -> None:
        (said,) = remarks(Pictures(BYTES, held_out))
        assert said.startswith(f"{len(held_out)} of {len(held_out)} held-out pictures are training pictures, too")

    def test_pass_over_a_few_shared_pictures(self) -> None:
        assert remarks(Pictures(BYTES[:20], BYTES[19:])) == []

    def test_say_that_floats_have_become_black(self) -> None:
        (said,) = remarks(Pictures(BYTES[:30] & 1, BYTES[30:]))
        assert said.startswith("no value of the training pictures is above 1, and 255 is white")
