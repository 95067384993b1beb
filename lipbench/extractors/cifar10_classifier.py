"""A small classifier of CIFAR-10 whose weights come with lipbench: 8,431 of 10,000 held-out pictures right.

For curves over training where the Inception network is too slow; its FIDs are not those of the literature.
"""

from lipbench.extractors import _classifiers


class Cifar10Classifier(_classifiers.Convolutional):
    """The 128 features before the last layer and the logits of the ten classes."""

    _file = "cifar10_classifier.pt"
    shape = (3, 32, 32)
