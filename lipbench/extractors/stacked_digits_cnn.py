"""The classifier of digits on each of three channels, for the 1,000 classes of stacked digits."""

from jaxtyping import Float, UInt8
from torch import Tensor, nn

from lipbench.extractors.digits_cnn import DigitsCnn


class StackedDigitsCnn(DigitsCnn):
    """The 64 features of each channel, and logits of all triples of digits, whose probabilities multiply."""

    features = 192
    shape = (3, 8, 8)
    # 1/(192 · 64): as for single digits, the inner product of features with a mean square of 63 is brought to about 1.
    kid_gamma = 0.00008138020833333333
    seconds_per_picture = 0.0001

    def load(self) -> nn.Module:
        """Load the classifier of single digits, in eval mode."""
        return _EachChannel(super().load()).eval()


class _EachChannel(nn.Module):
    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, stacks: UInt8[Tensor, "n 3 8 8"]) -> tuple[Float[Tensor, "n 192"], Float[Tensor, "n 1000"]]:
        features, logits = self.classifier(stacks.reshape(-1, 1, 8, 8))
        one, two, three = logits.log_softmax(dim=1).reshape(-1, 3, 10).unbind(dim=1)
        sums: Tensor = one[:, :, None, None] + two[:, None, :, None] + three[:, None, None, :]
        return features.reshape(-1, 192), sums.flatten(1)
