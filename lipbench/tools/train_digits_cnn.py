"""Trains the classifier behind the ``digits-cnn`` extractor: ``python -m lipbench.tools.train_digits_cnn``.

It sees the training digits alone; its accuracy is that on the held-out ones.
"""

from pathlib import Path

import click
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

from lipbench.data.digits import Digits
from lipbench.extractors.digits_cnn import WEIGHTS, DigitsClassifier
from lipbench.interfaces.dataset import to_unit
from lipbench.train.streams import generator, seeded

EPOCHS, BATCH, SEED = 60, 64, 0


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=WEIGHTS)
def main(path: Path) -> None:
    """Train the digits classifier, write its weights to PATH and print its accuracy."""
    pictures = Digits().load()
    labels = torch.from_numpy(load_digits().target)
    held_out = torch.arange(len(labels)) % 5 == 4  # as the data set splits them
    train, wanted = to_unit(pictures.train), labels[~held_out]
    with seeded(SEED, "digits classifier"):
        classifier = DigitsClassifier()
    adam = torch.optim.Adam(classifier.parameters(), lr=1e-3, weight_decay=1e-4)
    order = generator(SEED, "digits classifier order")
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(train), generator=order).split(BATCH):
            adam.zero_grad()
            F.cross_entropy(classifier(train[rows])[1], wanted[rows]).backward()
            adam.step()
    classifier.eval()
    with torch.no_grad():
        guessed = classifier(to_unit(pictures.held_out))[1].argmax(dim=1)
    torch.save(classifier.state_dict(), path)
    right = int((guessed == labels[held_out]).sum())
    click.echo(f"{right} of {len(guessed)} held-out digits right ({right / len(guessed):.1%}); weights in {path}")


if __name__ == "__main__":
    main()
