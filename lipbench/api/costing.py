"""`cost`: what a training step of each method costs on this machine."""

from collections.abc import Callable
from typing import Any, Literal

from lipbench.api import arguments as asked
from lipbench.plugins.names import Names, listed
from lipbench.request.plan import plan, read_architecture

Engines = Literal["three-sweep", "double-backward", "both"]


@asked.checked
def cost(
    methods: Names = "wc,sn,gp,gn",
    *,
    architecture: str = "cnn-32",
    side: int | None = None,
    channels: int | None = None,
    batch_size: int = 64,
    rounds: int = 20,
    engine: Engines = "both",
    precision: str = "float32",
    device: str = "auto",
    progress: Callable[[int], None] = lambda done: None,
) -> list[dict[str, Any]]:
    """Time the critic step, the generator step and a whole iteration of each method, in turn in this process.

    Args:
        methods: such as ``"wc,sn,gp,gn"``; the control ``none`` is always added.
        architecture: one of the shared ones, or a function in a file of your own, as in ``"./nets.py:make"``.
        side: pixels of a picture's side; if None those in the name of a shared architecture, else 32.
        channels: of a picture; if None 1 for 8 pixels, else 3.
        batch_size: real images of a critic step, generated ones beside them, and those of a generator step.
        rounds: how often each is timed; the machine's drift cancels out in their ratios.
        engine: how gradients are taken where a method needs gradient norms.
        precision: ``"float32"``, ``"tf32"`` or ``"bfloat16"``.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, …
        progress: is told how many rounds are done.

    Returns:
        A record for each method, engine and part (critic, generator, iteration): seconds (the median, with an interval
        that needs no distribution), ratio_to_none, forward_equivalents (counted: the critic's passes, in forward
        passes over the same images; None for an iteration), peak_memory_bytes (of what the step makes; on a CUDA
        device all that is allocated), and what it was measured with.

    Raises:
        RequestError: anything asked for is not known or not possible.
    """
    import torch

    from lipbench.tools.cost import CONTROL, measure
    from lipbench.train.gradients.double_backward import DoubleBackward
    from lipbench.train.gradients.three_sweeps import ThreeSweeps
    from lipbench.work.device import choose_device
    from lipbench.work.stages import staying

    choose_device(device)
    size = read_architecture(architecture).part.name.rpartition("-")[2]
    side = side or (int(size) if size.isdecimal() else 32)
    channels = channels or (1 if side == 8 else 3)
    count = max(10, 4 * batch_size)
    overrides = {
        "architecture": architecture,
        "train.batch_size": batch_size,
        "train.generator_batch_size": batch_size,
        "train.critic_steps": 1,
        "train.decay": "none",
        "train.precision": precision,
        "train.threads": torch.get_num_threads(),
    }
    data = f"noise[side={side},channels={channels},count={count}]"
    planned = plan([CONTROL, *listed(methods)], data, [0], "cifar10-cnn", overrides)
    both = [ThreeSweeps.name, DoubleBackward.name]
    engines = both if engine == "both" else [engine]
    with staying():
        return measure(planned, engines=engines, rounds=rounds, device=device, progress=progress)
