"""Two normal laws of other widths: W₁ = |real − fake| √2 Γ((dim + 1)/2) / Γ(dim/2), for a critic trained alone.

Source: a random number generator
"""

from math import exp, lgamma, sqrt

from lipbench.data._radial import Radial, RadialData
from lipbench.interfaces.pair import Pair


class ScaledGaussians(RadialData):
    """N(0, real²·I) against N(0, fake²·I)."""

    def load(self) -> Pair:
        """Make the pair; the factor is the mean length of a standard normal vector."""
        length = sqrt(2) * exp(lgamma((self.dim + 1) / 2) - lgamma(self.dim / 2))
        return Radial(self.dim, self.real, self.fake, abs(self.real - self.fake) * length, gaussian=True)
