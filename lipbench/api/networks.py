"""`check` and `cost`: what each method makes of networks, and what a training step of each costs on this machine."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from lipbench.api import arguments as asked
from lipbench.disk import places
from lipbench.launch.checking import Verdict, check_each
from lipbench.launch.listener import Listener
from lipbench.plugins.names import Names, listed
from lipbench.request.named import read_architecture
from lipbench.request.plan import plan
from lipbench.request.protocol import with_arguments

Engines = Literal["three-sweep", "double-backward", "both"]


@asked.checked
def check(
    architecture: str,
    methods: Names = "wc,sn,gp,gn",
    *,
    datasets: Names | None = None,
    protocol: str | Path = "digits",
    overrides: Mapping[str, Any] | None = None,
    device: str = "auto",
    timeout: float | None = None,
    data_root: str | Path | None = None,
    inception_weights: str | Path | None = None,
    listener: Listener | None = None,
) -> list[Verdict]:
    """Try networks under each method as a run does before it begins; nothing is trained and nothing is written.

    Args:
        architecture: a function in a file of your own, as in ``"./nets.py:make"``, or the name of a shared network.
        methods: such as ``"wc,sn,gp,gn"``, or a list of names and paths.
        datasets: such as ``"digits"``; the protocol's own if None.
        protocol: a protocol's name, or the path of a TOML file.
        overrides: other settings by dotted key, such as ``{"train.batch_size": 32}``.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, …
        timeout: seconds that each stage of the checks may take.
        data_root: where published data sets are, or go to; ``$LIPBENCH_DATA`` if None.
        inception_weights: a file; ``$LIPBENCH_INCEPTION``, or torch-fidelity's own download, if None.
        listener: is told the stages.

    Returns:
        A verdict for each method and data set, in this order: accepted or not, and if not the refusal; facts (shape,
        generator_parameters, critic_parameters, engine, engine_reason, …); the forecast of one run; notes.

    Raises:
        RequestError: anything in the request is not known or not well-formed.
    """
    given = with_arguments(overrides or {}, {"architecture": architecture})
    planned = plan(methods, datasets, [0], str(protocol), given)
    with places.at(data_root, inception_weights):
        return check_each(planned, device=device, timeout=timeout, listener=listener or Listener())


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
        A record for each method, engine and part (critic, generator, iteration, and on a CUDA device graph, which is
        an iteration as a CUDA graph): seconds (the median, with an interval that needs no distribution),
        ratio_to_none, forward_equivalents (counted: the critic's passes, in forward passes over the same images; None
        for an iteration), peak_memory_bytes (of what the step makes; on a CUDA device all that is allocated),
        cuda_graph_reason (why there is no graph), and what it was measured with.

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
