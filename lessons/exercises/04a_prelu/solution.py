"""On the left y = a x: its slope by x is a, and by a it is x. On the right y = x, and a has no say.

Then each gradient has the shape of y and has to come back to the shape of its operand: axes that
broadcasting put in front are summed away, and axes that were of size 1 are summed and kept. That
sum is the chain rule for a number that is used many times. Without it a bias of four numbers gets
a gradient of shape (64, 4), and in many an engine it trained "in the wrong direction with no
error". minigrad's engine does this for every op, in one place.
"""

import numpy as np


def prelu(x, a):
    """Return y."""
    return np.where(x > 0, x, a * x)


def summed_to(gradient, shape):
    """Return a gradient summed over the axes along which its operand was broadcast."""
    front = gradient.ndim - len(shape)
    gradient = gradient.sum(axis=tuple(range(front)))
    stretched = tuple(i for i, size in enumerate(shape) if size == 1 and gradient.shape[i] != 1)
    return gradient.sum(axis=stretched, keepdims=True)


def prelu_backward(g, x, a):
    """Return the gradients by x and by a.

    >>> x, a = np.array([[-1.0, 2.0], [-3.0, -4.0]]), np.array([0.5, 0.1])
    >>> dx, da = prelu_backward(np.array([[1.0, 1.0], [10.0, 10.0]]), x, a)
    >>> dx.tolist()
    [[0.5, 1.0], [5.0, 1.0]]
    >>> da.tolist()
    [-31.0, -40.0]
    """
    dx = g * np.where(x > 0, 1.0, a)
    da = g * np.where(x > 0, 0.0, x)
    return summed_to(dx, x.shape), summed_to(da, a.shape)
