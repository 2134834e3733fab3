"""A split that no neighbour crosses.

Lesson 8 splits crops of photos by the cell that they were cut from: crops of one cell overlap, and
a test crop whose neighbours were trained on is no test. The same goes for patients, days, authors.

Write the split. `groups` has the group of each row, in any order: whole numbers, or names. Whole
groups go to one side. The test gets `round(fraction * number of groups)` groups, but at least one,
and the training keeps at least one; which ones, `rng` decides (a generator of
np.random.default_rng), so that every group has the same chance.
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
    raise NotImplementedError
