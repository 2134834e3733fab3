"""Walk from the last step to the first, and carry along what arrives from the step after.

At step t the gradient by h_t is g_t plus U^T delta_(t+1). Times the slope of tanh, 1 - h_t^2, that
is delta_t, the gradient by what is inside of the tanh. There it was W x_t + U h_(t-1) + b, so

- x_t gets W^T delta_t, and h_(t-1) gets U^T delta_t, which is carried to the next turn;
- W, U and b were used at every step, so they get a *sum*: of delta_t x_t^T, of delta_t h_(t-1)^T
  (with the state before, which is 0 at the first step) and of delta_t.

The three sums over the steps are products of matrices, if the deltas are kept as rows.
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
    h = states(x, W, U, b)
    before = np.vstack([np.zeros((1, len(b))), h])[: len(h)]
    deltas, arriving = np.zeros_like(h), np.zeros(len(b))
    for t in range(len(h) - 1, -1, -1):
        deltas[t] = (g[t] + arriving) * (1 - h[t] ** 2)
        arriving = U.T @ deltas[t]
    return deltas @ W, deltas.T @ x, deltas.T @ before, deltas.sum(axis=0)
