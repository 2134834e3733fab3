"""Museum: attention that looks everywhere alike.

Causal attention: position i may look at the positions up to i, weighs them by the softmax of
q k / sqrt(d), and returns the weighted mean of v. Two people wrote this one. The first made a
mask that is *added* to the scores: 0 where one may look, and -1e9 where not. The second wrote an
attention for a mask of ones and zeros: 1 where one may look. Together they run, the shapes fit,
nothing from the future is seen, and every position weighs its past evenly, whatever q and k are.
The loss of a language model falls even so.

Mend it. `check` shows what `mg.gradcheck` says of it: that q and k do not matter to the values,
although backward has a gradient for them.
"""

import math

import minigrad as mg


def causal_mask(n, dtype):
    """Return a mask of the shape (n, n) for n positions."""
    return mg.triu(mg.full((n, n), -1e9, dtype=dtype), 1)


def attention(q, k, v, mask):
    """Return what each position gets: q, k and v have the shape (n, d)."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    scores = scores + (1 - mask) * -1e9
    return mg.softmax(scores, -1) @ v


def causal_attention(q, k, v):
    """Return what each position gets from itself and those before it."""
    return attention(q, k, v, causal_mask(len(q), q.dtype))
