"""Named random streams."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lipbench.train.streams import (
    NAMES,
    Streams,
    derive,
    global_state,
    kept,
    restore_global_state,
    seed_globally,
    seeded,
)

CPU = torch.device("cpu")


def test_one_seed_gives_the_same_numbers_again_and_another_gives_others() -> None:
    assert torch.equal(Streams(3, CPU).latents(4, 2), Streams(3, CPU).latents(4, 2))
    assert not torch.equal(Streams(3, CPU).latents(4, 2), Streams(4, CPU).latents(4, 2))


def test_drawing_from_one_stream_shifts_no_other() -> None:
    quiet, busy = Streams(0, CPU), Streams(0, CPU)
    torch.rand(1000, generator=busy["penalty"])
    assert torch.equal(quiet.latents(4, 2), busy.latents(4, 2))


def test_every_purpose_has_a_seed_of_its_own() -> None:
    assert len({derive(seed, name) for seed in range(100) for name in NAMES}) == 100 * len(NAMES)


@given(st.integers(0, 2**31), st.integers(1, 20), st.integers(20, 60))
def test_an_epoch_shows_every_picture_at_most_once_and_no_batch_is_short(seed: int, size: int, total: int) -> None:
    streams = Streams(seed, CPU)
    epoch = torch.cat([streams.batch(index, size, total) for index in range(total // size)])
    assert len(epoch) == total // size * size == len(epoch.unique())


def test_a_batch_depends_on_its_number_alone() -> None:
    forward = [Streams(1, CPU).batch(index, 8, 30).tolist() for index in range(9)]
    streams = Streams(1, CPU)
    backward = [streams.batch(index, 8, 30).tolist() for index in reversed(range(9))]
    assert forward == backward[::-1]
    assert forward[0] != forward[3]  # three batches an epoch: another order


def test_a_saved_state_goes_on_where_it_was() -> None:
    streams = Streams(0, CPU)
    streams.latents(5, 2)
    state = {name: value.clone() for name, value in streams.state_dict().items()}
    expected = streams.latents(5, 2)
    restored = Streams(0, CPU)
    restored.load_state_dict(state)
    assert torch.equal(restored.latents(5, 2), expected)


def test_seeding_for_initial_weights_leaves_the_global_state_as_it_was() -> None:
    before = torch.get_rng_state()
    with seeded(0, "critic init"):
        first = torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
    with seeded(0, "critic init"):
        assert torch.equal(torch.rand(3), first)


def drawn() -> tuple[float, float, float]:
    return float(torch.rand(())), float(np.random.rand()), random.random()


def test_numbers_of_torch_numpy_and_python_are_seeded_and_kept_alike() -> None:
    with kept():
        seed_globally(0, "training")
        expected = drawn()
        with seeded(3, "something else"):
            other = drawn()
        following = drawn()
        seed_globally(0, "training")
        assert drawn() == expected
        with kept():
            drawn()
        assert drawn() == following
    assert len({*expected, *following, *other}) == 9


def test_the_global_states_go_through_a_checkpoint(tmp_path: Path) -> None:
    with kept():
        random.gauss(0, 1)
        np.random.randn()
        torch.save(global_state(), tmp_path / "state.pt")
        expected = [(*drawn(), random.gauss(0, 1), float(np.random.randn())) for _ in range(3)]
        restore_global_state(torch.load(tmp_path / "state.pt", weights_only=True))
        assert [(*drawn(), random.gauss(0, 1), float(np.random.randn())) for _ in range(3)] == expected


def test_a_cpu_wakes_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("CUDA was initialised")

    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "_lazy_init", refuse)
    with kept():
        restore_global_state(global_state() | {"global_random_cuda": [torch.zeros(16, dtype=torch.uint8)]})
