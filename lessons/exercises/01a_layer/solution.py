"""Each entry of z is a sum, z[i] = sum over j of W[i, j] a[j] + b[i]. So

- W[i, j] is in z[i] alone, with the slope a[j]: dJ/dW[i, j] = g[i] a[j], an outer product. F1 of
  the documents has no a in it, and F6 multiplies elementwise, which has another shape.
- a[j] is in every z[i], with the slope W[i, j], and its ways add up: dJ/da[j] is the sum over i
  of W[i, j] g[i], that is W transposed times g.
- b[i] is in z[i], with the slope 1.

Shapes are a help and no proof: with as many outputs as inputs, W g has the shape of a as well.
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
    return np.outer(g, a), W.T @ g, 1.0 * g
