"""The devices over which runs are spread."""

import pytest
import torch

from lipbench.errors import RequestError
from lipbench.work import device
from lipbench.work.device import choose_device, spread


@pytest.mark.parametrize(
    ("chosen", "count", "expected"),
    [
        ("cuda", 4, ["cuda:0", "cuda:1", "cuda:2", "cuda:3"]),
        ("cuda", 1, ["cuda"]),
        ("cuda:1", 4, ["cuda:1"]),
        ("cpu", 0, ["cpu"]),
    ],
)
def test_all_visible_gpus_are_used_unless_one_is_named(
    monkeypatch: pytest.MonkeyPatch, chosen: str, count: int, expected: list[str]
) -> None:
    monkeypatch.setattr(device, "choose_device", lambda name: torch.device(chosen))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    assert spread("auto") == expected


def test_a_gpu_that_is_named_becomes_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    current = []
    monkeypatch.setattr(torch, "zeros", lambda *_, device: torch.empty(1))
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    choose_device.cache_clear()
    assert choose_device("cuda:1") == torch.device("cuda:1")
    assert current == [torch.device("cuda:1")]
    choose_device.cache_clear()


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(RequestError, match="device 'cuda:77' cannot be used"):
        spread("cuda:77")
