"""With the added mask, 1 - mask is 1 where one may look, and every allowed score gets -1e9. In
float32 numbers near 1e9 are 64 apart, so that a score of 0.3 is gone without a trace: all allowed
scores are equal, and their softmax is uniform. (The forbidden ones are at -1e18, and rightly 0.)
The mask must be what the attention expects: ones and zeros.

Backward does not know about the rounding and still returns a gradient by q and k, one for values
that do not move. In float64 the numbers near 1e9 are 1e-7 apart: the values nearly work, and a
difference of them is off in the first digits. A gradient check says so at once; in float32 no
check can.

Found in TinyTorch 0.1.10: its GPT had learnt with uniform attention, "96.0 % PASSED". Names are
the cure: a mask of truth values, `allowed`, can not be added by mistake. mg.where(allowed, scores,
-inf), as in mg.scaled_dot_product_attention, has no large number in it at all.
"""

import math

import minigrad as mg


def causal_mask(n, dtype):
    """Return a mask of the shape (n, n) for n positions."""
    return mg.tril(mg.ones(n, n, dtype=dtype))


def attention(q, k, v, mask):
    """Return what each position gets: q, k and v have the shape (n, d)."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    scores = scores + (1 - mask) * -1e9
    return mg.softmax(scores, -1) @ v


def causal_attention(q, k, v):
    """Return what each position gets from itself and those before it."""
    return attention(q, k, v, causal_mask(len(q), q.dtype))
