"""Where runs go on a machine with several GPUs."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from lipbench.launch.placing import cores, place, usual_jobs

FOUR = ["cuda:0", "cuda:1", "cuda:2", "cuda:3"]


def test_eight_runs_on_four_gpus_are_two_on_each() -> None:
    running: list[str] = []
    for _ in range(8):
        running.append(place(FOUR, running))
    assert Counter(running) == dict.fromkeys(FOUR, 2)
    assert running[:4] == FOUR


def test_a_run_goes_where_another_has_ended() -> None:
    assert place(FOUR, ["cuda:0", "cuda:1", "cuda:3"]) == "cuda:2"
    assert place(["cpu"], ["cpu", "cpu"]) == "cpu"


@given(st.lists(st.integers(0, 40), max_size=40), st.integers(1, 6))
def test_however_runs_end_the_next_goes_to_a_device_with_the_fewest(ends: list[int], count: int) -> None:
    devices = [f"cuda:{index}" for index in range(count)]
    running: list[str] = []
    for end in ends:
        chosen = place(devices, running)
        loads = Counter(running)
        assert loads[chosen] == min(loads[device] for device in devices)
        running.append(chosen)
        if end < len(running):
            running.pop(end)


def test_the_usual_number_is_one_on_each_gpu_or_one_for_each_processor() -> None:
    assert usual_jobs(FOUR, threads=1) == 4
    assert usual_jobs(["cuda"], threads=1) == 1
    assert usual_jobs(["cpu"], threads=1) == cores()
    assert usual_jobs(["cpu"], threads=1000) == 1
