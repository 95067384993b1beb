"""Two shells: points uniform on spheres about the origin; W₁ = |real − fake|, for a critic that is trained alone.

Source: a random number generator
"""

from lipbench.data._radial import Radial, check_scales
from lipbench.interfaces.dataset import Dataset
from lipbench.interfaces.pair import Pair


class Shells(Dataset):
    """Points on spheres of these radii."""

    dim: int = 2
    real: float = 1.0
    fake: float = 2.0

    def __post_init__(self) -> None:
        check_scales(self.dim, self.real, self.fake)

    def load(self) -> Pair:
        """Make the pair."""
        return Radial(self.dim, self.real, self.fake, abs(self.real - self.fake), gaussian=False)
