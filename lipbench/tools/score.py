"""Scores what is finished again, and pictures from anywhere, without training."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor

from lipbench.disk.store import RunFolder
from lipbench.errors import RequestError
from lipbench.interfaces.dataset import Pictures
from lipbench.measuring.evaluation import Seen, take
from lipbench.measuring.features import Features
from lipbench.measuring.fidelity import Reference, check_counts, compare, fitted, measure_real, notes
from lipbench.measuring.images import generate
from lipbench.plugins import registry
from lipbench.plugins.kinds import DATASET, EXTRACTOR
from lipbench.plugins.part import Part
from lipbench.plugins.registry import Resolved
from lipbench.request import protocol
from lipbench.request.named import read_measures, read_one
from lipbench.request.schema import Evaluate, adversarial
from lipbench.tools.load import read_trained, restore_networks
from lipbench.train.streams import EVALUATION, seeded
from lipbench.train.streams import generator as random_generator
from lipbench.work.build import choose_reference
from lipbench.work.device import choose_device
from lipbench.work.job import latents
from lipbench.work.parts import create_features, create_measure, load_pictures

Record = dict[str, Any]


def score_run(
    folder: RunFolder, against: Resolved | None, split: str | None, overrides: Mapping[str, Any], device: str
) -> Record:
    """Generate from a run's averaged generator and compare with real pictures.

    Args:
        folder: the run.
        against: other real pictures than those that it was trained on.
        split: of these; the protocol's own if None.
        overrides: of the protocol's ``evaluate`` table, by dotted key.
        device: ``auto``, ``cpu``, ``cuda``, …

    Raises:
        RequestError: anything asked for is not possible.
        StoreError: the run has no checkpoint, or it is damaged.
    """
    cell, trained = read_trained(folder)
    steps = adversarial(cell.protocol).train.steps
    chosen, step = choose_device(device), int(trained["step"])
    own = load_pictures(cell.dataset, folder.file)
    generator, _ = restore_networks(folder, cell, trained, own.shape, chosen)
    data = against or _of_run(folder, cell.dataset)
    real = own if against is None else _load(data)
    settings, reference = _reference(data, real, split, cell.protocol.model_dump(), overrides)
    settings = _fit(settings, settings.samples, len(reference.pictures), overrides)
    extractor = _of_run(folder, cell.extractor)
    if "evaluate.extractor" in overrides:
        extractor = read_one(EXTRACTOR, settings.extractor)
    measures = [_of_run(folder, part) for part in cell.measures]
    if "evaluate.measures" in overrides:
        measures = list(read_measures(settings.measures).values())
    with seeded(cell.seed, EVALUATION):
        fake = generate(generator, latents(cell, settings.samples, chosen))
    record: Record = {
        "subject": folder.id,
        "method": cell.method,
        "seed": cell.seed,
        "comparison": cell.comparison,
        "step": step,
        "status": str(folder.status()),
    } | _score(fake, reference, settings, extractor, measures, device, cell.seed)
    record["notes"] += _notes(data, real)
    if step < steps:
        record["notes"].insert(0, f"The run was trained for {step:,} of {steps:,} steps.")
    return record


def score_pictures(
    data: Resolved, against: Resolved, split: str | None, base: str, overrides: Mapping[str, Any], device: str
) -> Record:
    """Compare all pictures of one data set or folder, or so many as are asked for, with those of another.

    Args:
        data: what is scored.
        against: the real pictures.
        split: of the real pictures; all of a folder, and of anything else the protocol's own, if None.
        base: the protocol whose ``evaluate`` table is used.
        overrides: of this table, by dotted key.
        device: ``auto``, ``cpu``, ``cuda``, …

    Raises:
        RequestError: anything asked for is not possible.
    """
    adversarial(protocol.check(protocol.read(base), {}))  # before any setting of it is asked for
    scored, real = _load(data), _load(against)
    fake = scored.split("all")
    asked = {"evaluate.samples": len(fake), **overrides}
    settings, reference = _reference(against, real, split, protocol.read(base), asked)
    if settings.samples > len(fake):
        raise RequestError(
            f"{settings.samples} samples are wanted of {data.part}, which has {len(fake)} pictures; expected at most "
            f"as many: --samples {len(fake)}"
        )
    if settings.samples < len(fake):
        drawn = torch.randperm(len(fake), generator=random_generator(0, "scored samples"))[: settings.samples]
        fake = fake[drawn]
    settings = _fit(settings, len(fake), len(reference.pictures), overrides)
    extractor = read_one(EXTRACTOR, settings.extractor)
    measures = list(read_measures(settings.measures).values())
    record: Record = {"subject": str(data.part)} | _score(fake, reference, settings, extractor, measures, device)
    record["notes"] += dict.fromkeys(_notes(data, scored) + _notes(against, real))  # a folder against itself says once
    return record


def _of_run(folder: RunFolder, part: Part) -> Resolved:
    return Resolved(part, sources={name: folder.file(name) for name in part.copies})


def _load(data: Resolved) -> Pictures:
    return load_pictures(data.part, data.sources.__getitem__)


def _notes(data: Resolved, pictures: Pictures) -> list[str]:
    return [f"{data.part}: {text}." for text in pictures.notes]


def _reference(
    data: Resolved, real: Pictures, split: str | None, base: dict[str, Any], overrides: Mapping[str, Any]
) -> tuple[Evaluate, Reference]:
    """The settings, and the real pictures that they say: all of a folder where nobody says otherwise."""
    own = registry.create(DATASET, data.part, data.sources.__getitem__).default_split
    whole = {"evaluate.split": own, "evaluate.real_samples": None} if own == "all" else {}
    asked = {**whole, **overrides, **({"evaluate.split": split} if split else {})}
    settings = adversarial(protocol.check(base, asked)).evaluate
    return settings, choose_reference(real, str(data.part), settings)


def _fit(settings: Evaluate, fake: int, real: int, overrides: Mapping[str, Any]) -> Evaluate:
    """The settings as small as so many pictures make them, where nobody set them."""
    asked = {key: getattr(settings, key) for key in ("kid_subset_size", "isc_splits") if f"evaluate.{key}" in overrides}
    return fitted(settings, fake, real).model_copy(update=asked)


def _score(
    fake: Tensor,
    reference: Reference,
    settings: Evaluate,
    by: Resolved,
    besides: list[Resolved],
    device: str,
    seed: int = 0,
) -> Record:
    extractor = create_features(by.part, by.sources.__getitem__)
    settings = settings.model_copy(update={"extractor": extractor.name})
    for pictures, what in ((fake, "what is scored"), (reference.pictures, reference.name)):
        channels, height, width = pictures.shape[1:]
        extractor.check_shape((channels, height, width), what)
    if fake.shape[2:] != reference.pictures.shape[2:]:
        mine, theirs = ("×".join(map(str, pictures.shape[2:])) for pictures in (fake, reference.pictures))
        raise RequestError(
            f"the pictures are {mine} and those of {reference.name} {theirs}; expected equal sizes, "
            f"as by folder[path=…,size={reference.pictures.shape[2]}]"
        )
    check_counts(len(fake), len(reference.pictures), settings)
    said: list[str] = []
    cuda = choose_device(device).type == "cuda"
    real = measure_real(reference, extractor, cuda=cuda, note=said.append)
    generated = extractor.extract(fake, cuda=cuda)
    found = compare(generated, real, extractor, settings)
    measures = {str(each.part): create_measure(each.part, each.sources.__getitem__) for each in besides}
    features = generated["features"], torch.from_numpy(real.features["features"])
    taken = take(measures, Seen(seed, None, (fake.cpu(), reference.pictures), features), final=True)
    said += [
        f"{column} is not measured: it has no number for these pictures, or is of the critic, which a run alone has."
        for column, value in taken.items()
        if value is None
    ]
    return {
        "fid": found["fid"],
        "kid_mean": found["kid"],
        "kid_std": found["kid_std"],
        "inception_score": found["inception_score"],
        "inception_score_std": found["inception_score_std"],
        "samples": len(fake),
        "against": reference.name,
        "real_samples": len(reference.pictures),
        "extractor": extractor.id,
        "measures": {column: value for column, value in taken.items() if value is not None},
        "comparable": _id(settings, reference, extractor),
        "notes": said + notes(len(fake), len(reference.pictures), extractor),
    }


def _id(settings: Evaluate, reference: Reference, extractor: Features) -> str:
    """Eight hex digits of all that numbers must share to be compared, whatever made the pictures."""
    unseen = {"every", "critic_points", "split", "real_samples", "measures", "curve_extractor"}
    measured = settings.model_dump_json(exclude=unseen)
    return sha256(f"{measured} {reference.digest} {extractor.id}".encode()).hexdigest()[:8]
