"""1. and 2. `reshape` moves no number in memory: it only cuts the row of all numbers elsewhere.
(words, features) read as (heads, words, part) puts the first *words* into head 0, with parts of
their neighbours. The axis of the heads must be split off from the features, and then moved to the
front: reshape, then swapaxes; and the other way round to join. A join that undoes a wrong split is
no proof of either.

3. The scores of a head are sums over the features of that head, so d is their number.

4. The weights that a word gives must sum to 1: the softmax is over the keys, which are the last
axis. Over the queries, each key's weights would sum to 1 instead. Scores are square, so no shape
tells.

Against `nn.MultiheadAttention` all four show at once, in numbers. In a training they do not show.
"""

import numpy as np


def softmax(x, axis):
    """Return the softmax over an axis. (This one is right.)"""
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def split(x, heads):
    """Return (heads, words, features of a head).

    >>> split(np.array([[0, 1, 2, 3], [4, 5, 6, 7]]), 2).tolist()
    [[[0, 1], [4, 5]], [[2, 3], [6, 7]]]
    """
    words, features = x.shape
    return x.reshape(words, heads, features // heads).swapaxes(0, 1)


def join(x):
    """Return (words, features) of what `split` took apart.

    >>> join(np.array([[[0, 1], [4, 5]], [[2, 3], [6, 7]]])).tolist()
    [[0, 1, 2, 3], [4, 5, 6, 7]]
    """
    heads, words, part = x.shape
    return x.swapaxes(0, 1).reshape(words, heads * part)


def attend(q, k, v, heads):
    """Return the heads' results, joined: q, k and v are (words, features)."""
    d = q.shape[-1] // heads
    q, k, v = (split(x, heads) for x in (q, k, v))
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(d)
    return join(softmax(scores, axis=-1) @ v)
