"""Trains a classifier that comes with lipbench as an extractor: ``python -m lipbench.tools.train_classifier NAME``.

It sees the training pictures alone; its accuracy is that on the held-out ones, by the weights as they are stored.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from pathlib import Path

import click
import torch
import torch.nn.functional as F
from jaxtyping import UInt8
from torch import Tensor, nn
from torch.optim.lr_scheduler import ConstantLR, OneCycleLR

from lipbench.data.cifar10 import Cifar10
from lipbench.data.digits import Digits
from lipbench.data.fashion_mnist import FashionMnist
from lipbench.extractors._classifiers import Shipped
from lipbench.extractors.cifar10_classifier import Cifar10Classifier
from lipbench.extractors.digits_cnn import DigitsCnn
from lipbench.extractors.fashion_classifier import FashionClassifier
from lipbench.interfaces.dataset import to_unit
from lipbench.train.streams import generator, seeded

SEED = 0


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained.

    Attributes:
        data: its data set, with `labels`.
        extractor: what it is there as.
        optimiser: takes the parameters.
        epochs: passes through the training pictures.
        batch: pictures of a step.
        one_cycle: whether the learning rate rises to the optimiser's and falls to 0 over training.
        shift: by how many pixels a picture is moved at most.
        flips: whether half the pictures are mirrored.
        smoothing: of labels.
        stored: the type of the numbers in the file.
    """

    data: Digits | Cifar10 | FashionMnist
    extractor: Shipped
    optimiser: Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer]
    epochs: int
    batch: int
    one_cycle: bool = False
    shift: int = 0
    flips: bool = False
    smoothing: float = 0.0
    stored: torch.dtype = torch.float32


ADAM = partial(torch.optim.Adam, lr=1e-3, weight_decay=1e-4)
SGD = partial(torch.optim.SGD, lr=0.2, momentum=0.9, nesterov=True, weight_decay=5e-4)
PHOTOS = Recipe(
    Cifar10(), Cifar10Classifier(), SGD, epochs=12, batch=128,
    one_cycle=True, shift=2, flips=True, smoothing=0.1, stored=torch.float16,
)  # fmt: skip
RECIPES = {
    "digits": Recipe(Digits(), DigitsCnn(), ADAM, epochs=60, batch=64),
    "cifar10": PHOTOS,
    # Shoes all point one way.
    "fashion-mnist": replace(PHOTOS, data=FashionMnist(), extractor=FashionClassifier(), epochs=8, flips=False),
}


@click.command()
@click.argument("name", type=click.Choice(list(RECIPES)))
@click.argument("path", type=click.Path(path_type=Path), required=False)
def main(name: str, path: Path | None) -> None:
    """Train the classifier of data set NAME, write its weights to PATH or over its own, and print its accuracy."""
    recipe = RECIPES[name]
    path = path or recipe.extractor.weights()
    state = _train(recipe, name).state_dict()
    torch.save({key: part.to(recipe.stored) if part.is_floating_point() else part for key, part in state.items()}, path)
    right, count = _right(recipe, path)
    click.echo(f"{right} of {count} held-out pictures right ({right / count:.1%}); weights in {path}")


def _train(recipe: Recipe, name: str) -> nn.Module:
    pictures, labels = recipe.data.load().train, recipe.data.labels()[0]
    with seeded(SEED, f"{name} classifier"):
        classifier = recipe.extractor.network()
    optimiser = recipe.optimiser(classifier.parameters())
    rate, steps = optimiser.defaults["lr"], recipe.epochs * ceil(len(pictures) / recipe.batch)
    pace = OneCycleLR(optimiser, rate, total_steps=steps) if recipe.one_cycle else ConstantLR(optimiser, factor=1.0)
    draw = generator(SEED, f"{name} classifier order")
    for _ in range(recipe.epochs):
        for rows in torch.randperm(len(pictures), generator=draw).split(recipe.batch):
            optimiser.zero_grad()
            logits = classifier(to_unit(varied(pictures[rows], recipe, draw)))[1]
            F.cross_entropy(logits, labels[rows], label_smoothing=recipe.smoothing).backward()
            optimiser.step()
            pace.step()
    return classifier


@torch.no_grad()
def _right(recipe: Recipe, path: Path) -> tuple[int, int]:
    """How many held-out pictures the weights of a file get right, and of how many."""
    classifier = recipe.extractor.network().eval()
    classifier.load_state_dict(torch.load(path, weights_only=True))
    pictures, labels = recipe.data.load().held_out, recipe.data.labels()[1]
    guessed = torch.cat(
        [classifier(to_unit(part))[1].argmax(1) for part in pictures.split(recipe.extractor.batch_size)]
    )
    return int((guessed == labels).sum()), len(labels)


def varied(pictures: UInt8[Tensor, "n c h w"], recipe: Recipe, draw: torch.Generator) -> UInt8[Tensor, "n c h w"]:
    """Each picture moved and mirrored at random, as the recipe says; what comes in at an edge is black."""
    if not (recipe.shift or recipe.flips):
        return pictures
    count, _, height, width = pictures.shape
    down, right = torch.randint(0, 2 * recipe.shift + 1, (2, count, 1), generator=draw)
    rows, columns = down + torch.arange(height), right + torch.arange(width)
    if recipe.flips:
        columns = torch.where(torch.rand(count, 1, generator=draw) < 0.5, columns, columns.flip(1))
    padded = F.pad(pictures, [recipe.shift] * 4)
    each = torch.arange(count)[:, None, None]
    return padded[each, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


if __name__ == "__main__":
    main()
