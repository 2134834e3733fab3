"""The gradients of one layer.

Lesson 1 computes a network's gradients by closed formulas. Everything in them comes from one
layer, z = W a + b. Somebody who stands behind it hands you g, the gradient of the loss J by z:
g[i] = dJ/dz[i]. Return the gradients of J by W, by a and by b, each in the shape of its own.

W has the shape (out, in), a has (in,), b and g have (out,). NumPy is all you need.
"""

import numpy as np


def layer_backward(g, W, a, b):
    """Return dJ/dW, dJ/da and dJ/db.

    >>> W, a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0]), np.zeros(2)
    >>> dW, da, db = layer_backward(np.array([1.0, 10.0]), W, a, b)
    >>> dW.tolist()
    [[5.0, 6.0], [50.0, 60.0]]
    >>> da.tolist()
    [31.0, 42.0]
    >>> db.tolist()
    [1.0, 10.0]
    """
    raise NotImplementedError
