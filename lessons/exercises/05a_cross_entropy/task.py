"""Cross-entropy from scores, and its gradient.

Lesson 5 computes the cross-entropy from scores, in one go, and never takes the logarithm of a
probability. Write it for n examples with k classes: `scores` has the shape (n, k), `labels` has n
whole numbers from 0 to k - 1. Return the loss, the *mean* over the examples of
-ln softmax(scores)[label], and its gradient by the scores, of the shape (n, k).

It must be right for scores of 10,000 too, and raise no warning there.
"""

import numpy as np


def cross_entropy(scores, labels):
    """Return the mean loss, and its gradient by the scores.

    >>> loss, gradient = cross_entropy(np.array([[0.0, 0.0], [0.0, 10_000.0]]), np.array([0, 0]))
    >>> round(float(loss), 6)
    5000.346574
    >>> gradient.tolist()
    [[-0.25, 0.25], [-0.5, 0.5]]
    """
    raise NotImplementedError
