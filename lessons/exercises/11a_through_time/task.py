"""Backward through time.

`states` is a recurrent layer as in lesson 11: it starts from h_0 = 0, makes
h_t = tanh(W x_t + U h_(t-1) + b) of each row x_t of x, and returns h_1, h_2, ... as rows.

Somebody hands you g, the gradient of the loss J by these states, a row for each step. Return the
gradients of J by x, W, U and b, each in the shape of its own, with NumPy alone. A state matters to
J twice: by itself, and through the next one.
"""

import numpy as np


def states(x, W, U, b):
    """Return the states, a row for each step.

    >>> one = np.array([[1.0]])
    >>> states(np.zeros((2, 1)), one, one, np.array([0.5])).round(4).tolist()
    [[0.4621], [0.7452]]
    """
    h, found = np.zeros(len(b)), np.zeros((len(x), len(b)))
    for t in range(len(x)):
        h = np.tanh(W @ x[t] + U @ h + b)
        found[t] = h
    return found


def states_backward(g, x, W, U, b):
    """Return dJ/dx, dJ/dW, dJ/dU and dJ/db.

    >>> one, zero = np.array([[1.0]]), np.array([0.0])
    >>> g = np.array([[0.0], [0.0], [1.0]])
    >>> dx, dW, dU, db = states_backward(g, np.zeros((3, 1)), one, 0.5 * one, zero)
    >>> dx.tolist(), db.tolist()
    ([[0.25], [0.5], [1.0]], [1.75])
    """
    raise NotImplementedError
