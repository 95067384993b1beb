"""What a picture of a run's critic shows: its score over the plane, with points of the data and generated ones."""

import torch

from lipbench.disk.store import RunFolder
from lipbench.errors import RequestError
from lipbench.measuring import plane
from lipbench.measuring.critic import not_measurable
from lipbench.measuring.functions import of_critic
from lipbench.tools.trained import of_run


def of_plane(folder: RunFolder, device: torch.device, *, raw: bool) -> plane.Arrays:
    """Compute what a picture shows of a run, from its last checkpoint.

    Args:
        folder: the run.
        device: what computes it.
        raw: whether to show the raw critic rather than its score.

    Returns:
        The arrays as of `plane.over_plane`, ``real`` points, and ``samples`` of a generator, (1, n, 2), or ``fake``
        points of the second distribution.

    Raises:
        RequestError: its points are not pairs of numbers, or its critic is no function of a point.
        StoreError: it has no checkpoint, or it is damaged.
    """
    subject = of_run(folder, plane.SHOWN, device)
    if subject.shape != (2, 1, 1):
        what = "points of {0} number{1}" if subject.shape[1:] == (1, 1) else "pictures of {2}"
        told = what.format(subject.shape[0], "s" * (subject.shape[0] != 1), "×".join(map(str, subject.shape)))
        raise RequestError(
            f"run {folder.id} has {told}, and a picture shows the plane; expected a run on points of two numbers, as "
            f"of protocol modes, or of w1[dim=2]"
        )
    real, fake = (points.to(device) for points in list(subject.places.values())[:2])
    if reason := not_measurable(subject.critic, real, None):
        raise RequestError(f"of run {folder.id} there is no picture: {reason}")
    function = of_critic(subject.critic, None if raw else subject.score)
    made = {"samples": plane.shown(fake)[None]} if "generated" in subject.places else {"fake": plane.shown(fake)}
    return {"real": plane.shown(real)} | made | plane.over_plane(function, real)
