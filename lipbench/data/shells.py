"""Two shells: points uniform on spheres about the origin; W₁ = |real − fake|, for a critic that is trained alone.

Source: a random number generator
"""

from lipbench.data._radial import Radial, RadialData
from lipbench.interfaces.pair import Pair


class Shells(RadialData):
    """Points on spheres of these radii."""

    def load(self) -> Pair:
        """Make the pair."""
        return Radial(self.dim, self.real, self.fake, abs(self.real - self.fake), gaussian=False)
