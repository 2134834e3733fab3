"""Dropout, forward and backward.

The digit reader of lesson 9 drops a fifth of its hidden values while it learns. Write dropout as
PyTorch and minigrad have it ("inverted"): while training each number of x is set to 0 with the
probability p, independently of the others, and those that are kept are divided by 1 - p, so that
the mean stays what it was. In a test (training False) nothing is changed.

`dropout` returns y and the scale that x was multiplied by, number by number; `dropout_backward`
gets the gradient g by y and that scale, and returns the gradient by x. All that is random comes
from `rng`, a random generator of NumPy. p may be 0, and it may be 1.
"""

import numpy as np


def dropout(x, p, training, rng):
    """Return y and the scale, both of the shape of x.

    >>> y, scale = dropout(np.ones((2, 3)), 0.5, False, np.random.default_rng(0))
    >>> y.tolist(), scale.tolist()
    ([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]], [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    """
    raise NotImplementedError


def dropout_backward(g, scale):
    """Return the gradient by x.

    >>> dropout_backward(np.array([1.0, 2.0]), np.array([0.0, 2.0])).tolist()
    [0.0, 4.0]
    """
    raise NotImplementedError
