"""A small classifier of Fashion-MNIST whose weights come with lipbench: ACC of 10,000 held-out pictures right.

For curves over training where the Inception network is too slow; its FIDs are no one else's.
"""

from torch import nn

from lipbench.extractors import _classifiers


class FashionClassifier(_classifiers.Shipped):
    """The 128 features before the last layer, averaged over the picture, and the logits of the ten kinds of clothes."""

    _file = "fashion_classifier.pt"
    features = 128
    shape = (1, 32, 32)

    def network(self) -> nn.Module:
        """Four convolutions with batch norm and a linear layer, 242,000 weights."""
        return _classifiers.ConvClassifier(1)
