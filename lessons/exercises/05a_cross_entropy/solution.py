"""With the largest score m of a row taken out,

    -ln softmax(z)[k] = m - z[k] + ln sum over j of e^(z[j] - m),

the largest exponent is 0, so that nothing overflows, and the sum is at least 1, so that its
logarithm is harmless. Taking out m changes no softmax.

The gradient by a row is softmax(z) minus one at the label: probabilities minus target, and over n
because the loss is a mean. Each row of it sums to 0, since adding a number to all scores changes
nothing.
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
    n = len(labels)
    rows = np.arange(n)
    shifted = scores - scores.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=1, keepdims=True)
    loss = np.mean(np.log(total[:, 0]) - shifted[rows, labels])
    gradient = e / total
    gradient[rows, labels] -= 1
    return loss, gradient / n
