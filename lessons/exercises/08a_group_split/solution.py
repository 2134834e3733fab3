"""The lot is drawn among the *groups*, once each, and the rows follow: np.unique lists the groups,
np.isin says of each row whether its group was drawn.

Drawing rows instead puts nearly every group on both sides. Drawing among `groups` itself, rows and
all, gives a large group more chances than a small one. And taking the first groups of the list is
no lot at all: files are sorted by day, by patient, by photo.

scikit-learn calls this GroupShuffleSplit.
"""

import numpy as np


def split_by_group(groups, fraction, rng):
    """Return the indices of the training rows and of the test rows, each in rising order.

    >>> groups = np.array(["b", "a", "b", "c", "a"])
    >>> train, test = split_by_group(groups, 0.4, np.random.default_rng(0))
    >>> len(set(groups[test])), set(groups[train]) & set(groups[test])
    (1, set())
    >>> sorted([*train.tolist(), *test.tolist()])
    [0, 1, 2, 3, 4]
    """
    names = np.unique(groups)
    count = min(max(round(fraction * len(names)), 1), len(names) - 1)
    drawn = rng.permutation(names)[:count]
    is_test = np.isin(groups, drawn)
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)
