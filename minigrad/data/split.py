"""A seeded split into a training and a test part."""

from __future__ import annotations

import operator

import numpy as np

from minigrad.data.seeding import permutation


def train_test_split(
    n: int,
    test_fraction: float = 0.25,
    *,
    seed: int = 0,
    stratify: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Shuffle the indices 0 to n - 1 and split them in two.

    Parameters
    ----------
    n : int
        How many rows there are, at least 2.
    test_fraction : float
        Between 0 and 1. The test part gets ``round(n * test_fraction)`` rows.
    seed : int
        The same seed gives the same split on every machine and NumPy version.
    stratify : ndarray of shape (n,), optional
        Labels: every class then has its share in both parts, to within one row.

    Returns
    -------
    train, test : ndarray of int64
        Indices in shuffled order, to be used as in ``x[train]``; together they are 0 to n - 1.

    Raises
    ------
    ValueError
        A part would be empty, or `stratify` has another shape than (n,).
    TypeError
        ``n`` is not an integer.

    Notes
    -----
    The order is that of `minigrad.data.seeding.permutation`. With `stratify` the test rows are
    shared out among the classes by the method of largest remainders.

    Examples
    --------
    >>> from minigrad.data import load_iris, train_test_split
    >>> iris = load_iris()
    >>> train, test = train_test_split(150, 0.2, seed=0, stratify=iris.y)
    >>> len(train), len(test), (iris.y[test] == 2).sum()
    (120, 30, np.int64(10))
    """
    n = operator.index(n)
    n_test = round(n * test_fraction) if 0 < test_fraction < 1 else 0
    if not 0 < n_test < n:
        raise ValueError(
            f"n={n} rows with test_fraction={test_fraction} leave a part empty or are no split: "
            "use at least 2 rows and a fraction between 0 and 1 that gives each part a row"
        )
    labels = np.zeros(n, np.int64) if stratify is None else np.asarray(stratify)
    if labels.shape != (n,):
        raise ValueError(
            f"stratify must hold {n} labels, one for each row; its shape is {labels.shape}"
        )

    order = permutation(n, seed)
    classes, counts = np.unique(labels, return_counts=True)
    quota, remainder = np.divmod(counts * n_test, n)
    left_over = n_test - quota.sum()
    quota[np.argsort(-remainder, kind="stable")[:left_over]] += 1

    is_test = np.zeros(n, bool)
    for label, wanted in zip(classes, quota, strict=True):
        is_test[order[labels[order] == label][:wanted]] = True
    chosen = is_test[order]
    return order[~chosen], order[chosen]
