"""The weights of the samples for each member of a committee, 0 where it sees none."""

from functools import cached_property

import numpy as np

from sk_shallow._arrays.design import row_blocks


class MemberWeights:
    """W of shape (n_members, n_samples), by the pattern of who does not see a sample.

    `W[..., rows]` gives some of its columns, `W[m]` the weights of one member.

    Attributes
    ----------
    holders : ndarray of bool, shape (n_patterns, n_members)
        The members that do not see the samples of each pattern; ascending.
    pattern : ndarray of int, shape (n_samples,)
        That of each sample.
    weights : ndarray of shape (n_samples,) or None
        Of the samples; None stands for ones.
    """

    ndim = 2

    def __init__(self, holders, pattern, weights=None):
        order = np.lexsort(holders.T[::-1])
        self.holders, self.weights = holders[order], weights
        small = np.min_scalar_type(len(order))
        self.pattern = np.argsort(order).astype(small)[pattern]
        self._seen = (~self.holders.T).astype(float)

    @classmethod
    def of(cls, unseen, weights=None):
        """From a matrix of which members do not see which samples."""
        holders, pattern = np.unique(unseen.T, axis=0, return_inverse=True)
        return cls(holders, pattern.ravel(), weights)

    @classmethod
    def dealt(cls, n_samples, test_sets, n_members, weights=None):
        """The m-th member does not see the test set m modulo their number.

        Parameters
        ----------
        n_samples : int
        test_sets : list of ndarray of int
        n_members : int
        weights : ndarray of shape (n_samples,), default=None
        """
        pattern, sets = np.zeros(n_samples, np.int32), [frozenset()]
        counts = [n_samples]
        for i, rows in enumerate(test_sets[:n_members]):
            for p in np.unique(pattern[rows]):
                both = rows[pattern[rows] == p]
                pattern[both] = len(sets)
                sets.append(sets[p] | {i})
                counts[p] -= len(both)
                counts.append(len(both))
        number = [m % len(test_sets) for m in range(n_members)]
        holders = np.array([[i in some for i in number] for some in sets])
        used = np.array(counts) > 0
        return cls(holders[used], (np.cumsum(used) - 1)[pattern], weights)

    def __len__(self):
        """Number of members."""
        return self.holders.shape[1]

    def __getitem__(self, key):
        """W[m], or W[..., rows]."""
        members, *rows = key if isinstance(key, tuple) else (key,)
        members = slice(None) if members is ... else members
        rows = rows[0] if rows else slice(None)
        seen = self._seen[members][..., self.pattern[rows]]
        return seen if self.weights is None else seen * self.weights[rows]

    def total(self, rows):
        """The weight of those of the rows that some member sees."""
        seen, total = self._seen.max(axis=0), 0.0
        for _, some in row_blocks(len(self.pattern), 1, rows=rows):
            share = seen[self.pattern[some]]
            total += share.sum() if self.weights is None else share @ self.weights[some]
        return float(total)

    def unseen_by(self, member):
        """The samples that a member does not see."""
        return self.judged[self.holders[:, member][self.pattern[self.judged]]]

    @cached_property
    def judged(self):
        """The samples that some member does not see."""
        is_judged = self.holders.any(axis=1).take(self.pattern)
        return np.flatnonzero(is_judged)

    def unseen(self, rows):
        """Which members do not see which of these samples."""
        return self.holders[self.pattern[rows]].T
