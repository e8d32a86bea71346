"""An activation of one's own."""

import numpy as np

from sk_shallow import Activation


class Softsign(Activation):
    """g(z) = z/(1 + |z|). An instance is equal to itself alone."""

    def forward(self, Z, out=None):
        return np.divide(Z, 1 + np.abs(Z), out=out)

    def slope(self, A, out=None):
        return np.square(1 - np.abs(A), out=out)
