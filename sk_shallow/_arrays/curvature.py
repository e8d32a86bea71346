"""A = H + diag(d), of H as a square matrix or as JᵀJ of few rows, and what A⁻¹ gives.

Where J has fewer rows than columns, A is never formed. Of the columns of J, those of
which d may be 0 are eliminated last (f), after the others (r) [1]_:

    W = J_r D^-½     K = I + W Wᵀ = L Lᵀ     C = L⁻¹ W     U = L⁻¹ J_f
    A_rr⁻¹ = D^-½ (I - Cᵀ C) D^-½     A_rr⁻¹ A_rf = D^-½ Cᵀ U
    S = D_f + Uᵀ U     |A| = |D| |K| |S|

References
----------
.. [1] Woodbury, "Inverting modified matrices", Princeton University, 1950.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs, dtpttr, dtrtrs, dtrttp

# So many more columns than rows make the rows the cheaper form, and the smaller one.
_WIDE = 3


def curvature(n_rows, last):
    """H = 0, to which so many rows will be added, in the form that is cheaper.

    Parameters
    ----------
    n_rows : int
    last : ndarray of bool of shape (size,)
        The columns that are eliminated last.
    """
    is_wide = _WIDE * n_rows <= len(last)
    return Rows(n_rows, last) if is_wide else Square(len(last))


class Square:
    """H, whose lower triangle is filled, in Fortran's order."""

    def __init__(self, size):
        self.H = np.zeros((size, size), order="F")

    def add(self, J):
        """H ← H + Jᵀ J."""
        self.H = dsyrk(1.0, J.T, beta=1.0, c=self.H, lower=1, overwrite_c=1)

    def diagonal(self):
        """That of H."""
        return self.H.diagonal()

    def dense(self):
        """The lower triangle of H."""
        return self.H

    def factor(self, d):
        """The factor of H + diag(d); None if that is not positive."""
        L = _cholesky(_plus_diagonal(self.H.copy(order="F"), d))
        return None if L is None else SquareFactor(L)


class SquareFactor:
    """A = L Lᵀ."""

    def __init__(self, L):
        self.L = L

    def solve(self, b):
        """A⁻¹ b."""
        return dpotrs(self.L, b, lower=1)[0]

    def log_determinant(self):
        """log |A|."""
        return _log_determinant(self.L)

    def inverse_diagonal(self):
        """The diagonal of A⁻¹."""
        return dpotri(self.L, lower=1)[0].diagonal()

    def quadratic(self, V):
        """vᵀ A⁻¹ v of each row v of V."""
        return _squares(_solved(self.L, V.T))

    def __getstate__(self):
        """Pickles hold the triangle alone."""
        return len(self.L), dtrttp(self.L, uplo="L")[0]

    def __setstate__(self, state):
        self.L = dtpttr(*state, uplo="L")[0]


class Rows:
    """H = Jᵀ J, by the rows of J."""

    def __init__(self, n_rows, last):
        self.J, self.last = np.zeros((n_rows, len(last))), last
        self._n_added = 0

    def add(self, J):
        """Append these rows."""
        self.J[self._n_added : self._n_added + len(J)] = J
        self._n_added += len(J)

    def diagonal(self):
        """That of H."""
        return _squares(self.J)

    def dense(self):
        """The lower triangle of H."""
        return np.asfortranarray(np.tril(self.J.T @ self.J))

    def factor(self, d):
        """The factor of H + diag(d); None if that is not positive."""
        roots = np.sqrt(np.maximum(d[~self.last], 0))
        if not roots.all():
            return None
        W = self.J[:, ~self.last] / roots
        L = _cholesky(_plus_diagonal(_lower_square(W.T), 1.0))
        if L is None:
            return None
        U = _solved(L, self.J[:, self.last])
        S = _cholesky(_plus_diagonal(_lower_square(U), d[self.last]))
        return None if S is None else RowsFactor(self.last, roots, W, L, U, S)


@dataclass(frozen=True)
class RowsFactor:
    """A, by the names above: D^½, W, the triangle L, U, and the triangle of S."""

    last: np.ndarray
    roots: np.ndarray
    W: np.ndarray
    L: np.ndarray
    U: np.ndarray
    S: np.ndarray

    def solve(self, b):
        """A⁻¹ b."""
        x, last = np.empty_like(b), self.last
        r = b[~last] / self.roots
        c = _solved(self.L, self.W @ r)
        x[last] = dpotrs(self.S, b[last] - self.U.T @ c, lower=1)[0]
        back = dtrtrs(self.L, c + self.U @ x[last], lower=1, trans=1)[0]
        x[~last] = (r - self.W.T @ back) / self.roots
        return x

    def log_determinant(self):
        """log |A|."""
        log_D = 2 * float(np.log(self.roots).sum())
        return log_D + _log_determinant(self.L) + _log_determinant(self.S)

    def inverse_diagonal(self):
        """The diagonal of A⁻¹."""
        diagonal, last = np.empty(len(self.last)), self.last
        diagonal[last] = dpotri(self.S, lower=1)[0].diagonal()
        C = _solved(self.L, self.W)
        coupled = _squares(_solved(self.S, self.U.T @ C))
        diagonal[~last] = (1 - _squares(C) + coupled) / self.roots**2
        return diagonal

    def quadratic(self, V):
        """vᵀ A⁻¹ v of each row v of V."""
        X = (V[:, ~self.last] / self.roots).T
        CX = _solved(self.L, self.W @ X)
        rest = _solved(self.S, V[:, self.last].T - self.U.T @ CX)
        return np.maximum(_squares(X) - _squares(CX), 0) + _squares(rest)


def _cholesky(A):
    """The lower triangle L of L Lᵀ = A, which is overwritten; None if there is none."""
    L, info = dpotrf(A, lower=1, overwrite_a=1)
    return L if info == 0 else None


def _lower_square(A):
    """The lower triangle of Aᵀ A."""
    return dsyrk(1.0, A, trans=1, lower=1)


def _plus_diagonal(A, d):
    """A + diag(d), in place."""
    np.einsum("ii->i", A)[...] += d
    return A


def _solved(L, B):
    """L⁻¹ B."""
    return dtrtrs(L, B, lower=1)[0]


def _log_determinant(L):
    """log |L Lᵀ|."""
    return 2 * float(np.log(L.diagonal()).sum())


def _squares(A):
    """‖a‖² of each column a of A."""
    return np.einsum("ij,ij->j", A, A)
