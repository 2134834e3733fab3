"""Find the bug: cross-validation as D1 describes it.

D1 (FAQ 2) has the data cut into subsets, and each subset trained and validated on. `folds` does so,
and makes two mistakes more of its own. Mend all three: it must give k pairs of index arrays, to
train on and to validate on, such that

- each of the n samples is validated exactly once, and is not trained on in that pair, while all
  others are;
- the k parts are of equal size, to within one sample;
- the samples are shuffled, by `rng` (a generator of np.random.default_rng), for many a file is
  sorted by class.

`cross_validate` is right, if `folds` is: `fit(x, y)` returns a function from samples to answers.
"""

import numpy as np


def folds(n, k, rng):
    """Return k pairs of arrays of indices: to train on, and to validate on."""
    order = np.arange(n)
    size = n // k
    parts = [order[i * size : (i + 1) * size] for i in range(k)]
    return [(part, part) for part in parts]


def cross_validate(x, y, k, rng, fit):
    """Return the share of right answers to samples that were not trained on."""
    right = 0
    for train, valid in folds(len(y), k, rng):
        answer = fit(x[train], y[train])
        right += int(np.sum(answer(x[valid]) == y[valid]))
    return right / len(y)
