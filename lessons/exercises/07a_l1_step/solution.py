"""The L1 term's gradient is strength * sign(w), so that its step would be rate * strength long
however small the weight is, and would jump over 0 and back for ever. The soft threshold goes the
same way, and stops at 0: the size is |x| - rate * strength, or 0 where that is negative.

It comes after the gradient's step. Before it, the zeros would be moved away again.

L2's pull shrinks with the weight, so no weight ever gets to 0, only near.
"""

import numpy as np


def l2_step(w, g, rate, strength):
    """Return the weights after a step with L2.

    >>> l2_step(np.array([1.0, -2.0]), np.array([0.5, 0.0]), rate=0.1, strength=1.0).tolist()
    [0.85, -1.8]
    """
    return (1 - rate * strength) * w - rate * g


def l1_step(w, g, rate, strength):
    """Return the weights after a step with L1.

    >>> w, g = np.array([1.0, 0.1, -0.9]), np.array([1.0, 0.0, -1.0])
    >>> l1_step(w, g, rate=0.1, strength=2.0).round(9).tolist()
    [0.7, 0.0, -0.6]
    """
    x = w - rate * g
    size = np.maximum(np.abs(x) - rate * strength, 0)
    return np.sign(x) * size
