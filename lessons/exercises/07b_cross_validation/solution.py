"""1. The pairs. Whoever trains and validates on the same part measures memory: a network that has
learned its labels by heart gets 100 %, whatever it knows of others. One trains on all parts but
one, and validates on that one.

2. The remainder. n // k loses n % k samples, which are then neither trained on nor validated.
np.array_split makes parts that differ by one at most.

3. The order. In a file that is sorted by class a part holds few classes, and the network that is
validated on it may never have seen them. For the three iris species in the order of the file and
k = 3, every answer is wrong.

`KFold` and `StratifiedKFold` of minigrad.data (and scikit-learn) do all of that; the latter gives
each part its share of every class, too.
"""

import numpy as np


def folds(n, k, rng):
    """Return k pairs of arrays of indices: to train on, and to validate on."""
    parts = np.array_split(rng.permutation(n), k)
    pairs = []
    for i, valid in enumerate(parts):
        train = np.concatenate(parts[:i] + parts[i + 1 :])
        pairs.append((train, valid))
    return pairs


def cross_validate(x, y, k, rng, fit):
    """Return the share of right answers to samples that were not trained on."""
    right = 0
    for train, valid in folds(len(y), k, rng):
        answer = fit(x[train], y[train])
        right += int(np.sum(answer(x[valid]) == y[valid]))
    return right / len(y)
