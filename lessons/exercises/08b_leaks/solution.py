"""1. The columns are chosen by the labels of all rows, those for testing included. With many
columns and few rows this alone makes a test on noise look perfect: lesson 8, section 5.

2. The scale is that of all rows. It is worth little, but it is not the training's to know; and
the second scaling hides it from the training rows only.

3. Mean and deviation for the test are taken of `x_train` when it has been scaled already: 0 and 1
(F15). The test rows are left as they were, on another scale than the model knows. Keep what was
learned from the raw training rows, and use it for both.

A way to find all three without reading: change a test row, and nothing that the model is trained
on may move. And give a row to both sides: it must come out the same.
"""

import numpy as np


def chosen(x, y, count):
    """Return the columns of x that correlate best with y, one way or the other."""
    centred = x - x.mean(0)
    correlation = centred.T @ (y - y.mean()) / np.sqrt((centred**2).sum(0))
    return np.argsort(-np.abs(correlation), kind="stable")[:count]


def prepare(x, y, count, train, test):
    """Return the training rows and the test rows, scaled, with `count` columns.

    >>> x = np.array([[1.0, 5.0], [3.0, 4.0], [5.0, 9.0]])
    >>> y = np.array([0, 1, 1])
    >>> seen, unseen = prepare(x, y, 1, np.array([0, 1]), np.array([2]))
    >>> seen.tolist(), unseen.tolist()
    ([[-1.0], [1.0]], [[3.0]])
    """
    columns = chosen(x[train], y[train], count)
    x_train, x_test = x[train][:, columns], x[test][:, columns]
    mean, deviation = x_train.mean(0), x_train.std(0)
    return (x_train - mean) / deviation, (x_test - mean) / deviation
