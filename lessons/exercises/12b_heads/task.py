"""Find the bug: heads that are no heads.

Multi-head attention, without its dense layers. `split` takes rows of features apart into heads:
(words, features) becomes (heads, words, features of a head), and head 0 has each word's first
features. `join` puts them together again. `attend` lets each head attend by itself: a softmax of
q k / sqrt(d), with d the number of features in a head, over the words that are looked at.

All shapes fit, join undoes split, and a network with it learns, though less than it should. There
are four mistakes. Mend them.
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
    return x.reshape(heads, words, features // heads)


def join(x):
    """Return (words, features) of what `split` took apart.

    >>> join(np.array([[[0, 1], [4, 5]], [[2, 3], [6, 7]]])).tolist()
    [[0, 1, 2, 3], [4, 5, 6, 7]]
    """
    heads, words, part = x.shape
    return x.reshape(words, heads * part)


def attend(q, k, v, heads):
    """Return the heads' results, joined: q, k and v are (words, features)."""
    d = q.shape[-1]
    q, k, v = (split(x, heads) for x in (q, k, v))
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(d)
    return join(softmax(scores, axis=-2) @ v)
