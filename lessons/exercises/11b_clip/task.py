"""Find the bug: clipping that makes gradients longer.

Clipping by length takes the gradients of all parameters together, as one long list of numbers. If
its length (the root of the sum of all squares) is above a limit, every number is scaled by the
same factor, so that the length is the limit. Otherwise nothing is changed. It returns the
gradients, and what their length was before.

This program runs, and the training it is used in goes on without any NaN. But parameters with
small gradients move as fast as those with large ones, the training never comes to rest, and now
and then there is a NaN after all, when a layer's gradient is 0. Mend it. There are four mistakes.
"""

import numpy as np


def clip(gradients, limit):
    """Return the clipped gradients as a list, and the length that they had.

    >>> clipped, length = clip([np.array([3.0]), np.array([0.0, 4.0])], 1.0)
    >>> [g.round(4).tolist() for g in clipped], round(float(length), 4)
    ([[0.6], [0.0, 0.8]], 5.0)
    """
    clipped = []
    for g in gradients:
        length = np.sqrt(np.sum(g * g))
        clipped.append(g * (limit / length))
    return clipped, length
