"""The scores are the products of all queries with all keys. `np.tri` is 1 where a word may look, at
itself and to the left, so all other scores become minus infinity, and exp makes that an exact 0.

The largest score of a row is finite, because each word may look at itself. Without it exp cannot
overflow, and the sum is at least 1.

The mask stands *before* the softmax. A mask of zeros behind it would leave weights that do not sum
to 1, and a share of later words in what they were divided by.
"""

import numpy as np


def attend(q, k, v):
    """Return what each word gets.

    >>> q = np.array([[2.0], [0.0], [0.0]])
    >>> attend(q, q, np.array([[1.0], [2.0], [6.0]])).tolist()
    [[1.0], [1.5], [3.0]]
    """
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    scores = np.where(np.tri(q.shape[-2]) > 0, scores, -np.inf)
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True) @ v
