"""`check`: what the checks before a run say of networks, method by method."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipbench.api import arguments as asked
from lipbench.disk import places
from lipbench.launch.listener import Listener
from lipbench.plugins.names import Names
from lipbench.request.plan import plan
from lipbench.request.settings import with_arguments

if TYPE_CHECKING:
    from lipbench.launch.checking import Verdict


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
) -> "list[Verdict]":
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
    from lipbench.launch.checking import check_each

    given = with_arguments(overrides or {}, {"architecture": architecture})
    planned = plan(methods, datasets, [0], str(protocol), given)
    with places.at(data_root, inception_weights):
        return check_each(planned, device=device, timeout=timeout, listener=listener or Listener())
