"""A ReLU with a slope to learn.

PReLU is a leaky ReLU whose slope a on the left is learnt: y = x where x > 0, and y = a x
elsewhere. One a may serve all of x, or a channel, or each number has its own: a broadcasts
against x as NumPy does it, and so may x against a.

Write its backward: g has the shape of y; return the gradients by x and by a, each in the shape of
its own. A number that was broadcast was used many times, and the shares of all its uses add up.
(At x = 0 there is a kink, and nothing is asked.)
"""

import numpy as np


def prelu(x, a):
    """Return y."""
    return np.where(x > 0, x, a * x)


def prelu_backward(g, x, a):
    """Return the gradients by x and by a.

    >>> x, a = np.array([[-1.0, 2.0], [-3.0, -4.0]]), np.array([0.5, 0.1])
    >>> dx, da = prelu_backward(np.array([[1.0, 1.0], [10.0, 10.0]]), x, a)
    >>> dx.tolist()
    [[0.5, 1.0], [5.0, 1.0]]
    >>> da.tolist()
    [-31.0, -40.0]
    """
    raise NotImplementedError
