"""The scale is random, but once drawn it is a constant, and y = scale * x has the slope `scale`. So
backward must use *the same* scale as forward; one that draws again is wrong in every number.

Dividing by 1 - p while training is what lets a test be the whole network with nothing to do. D0
(section 5) never leaves the training mode in its test, which costs it one to three points.

At p = 1 nothing is kept and there is nothing to divide: without care 0/0 comes out.
"""

import numpy as np


def dropout(x, p, training, rng):
    """Return y and the scale, both of the shape of x.

    >>> y, scale = dropout(np.ones((2, 3)), 0.5, False, np.random.default_rng(0))
    >>> y.tolist(), scale.tolist()
    ([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]], [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    """
    if training:
        kept = rng.random(x.shape) >= p
        scale = kept / (1 - p) if p < 1 else np.zeros(x.shape)
    else:
        scale = np.ones(x.shape)
    return x * scale, scale


def dropout_backward(g, scale):
    """Return the gradient by x.

    >>> dropout_backward(np.array([1.0, 2.0]), np.array([0.0, 2.0])).tolist()
    [0.0, 4.0]
    """
    return g * scale
