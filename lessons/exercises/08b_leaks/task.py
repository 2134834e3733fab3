"""Find the bug: a preparation that has seen the test.

`prepare` scales the rows of a table and keeps the columns that go best with the labels. It does
what D2 does (steps 1, and the project), and more: three times, test rows have a say in what the
model is given, or are not treated as the training rows are. Mend all three.

`chosen` is right for the rows that it is given. Columns are scaled to mean 0 and deviation 1 (by
n, as np.std has it); no column is constant.
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
    columns = chosen(x, y, count)
    scaled = (x - x.mean(0)) / x.std(0)
    x_train, x_test = scaled[train][:, columns], scaled[test][:, columns]
    x_train = (x_train - x_train.mean(0)) / x_train.std(0)
    x_test = (x_test - x_train.mean(0)) / x_train.std(0)
    return x_train, x_test
