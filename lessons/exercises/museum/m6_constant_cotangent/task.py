"""Museum: the gradient check that cannot fail.

A gradient check of an op with array outputs has to weigh the outputs, by a cotangent g. This one
weighs them all by 1, as half of the gradient checkers that we read do: it differentiates
f(x).sum(). But the outputs of a softmax always sum to 1, so that any multiple of the right rule
passes, 0 included; and ones do not mind being transposed or put in another order.

Mend `is_right`. It gets forward(x), backward(g, x) and a point x, and says whether backward is the
derivative of forward there. It must refuse the wrong rules of the zoo, softmax and transpose among
them, and a rule that ignores g; and accept the right ones.
"""

import numpy as np


def is_right(forward, backward, x):
    """Say whether backward(g, x) is the gradient of (g * forward(x)).sum() by x."""
    g = np.ones(np.shape(forward(x)))
    found = backward(g, x)
    if np.shape(found) != x.shape:
        return False
    h = 1e-5
    for place in np.ndindex(x.shape):
        right, left = x.copy(), x.copy()
        right[place] += h
        left[place] -= h
        slope = (np.sum(g * forward(right)) - np.sum(g * forward(left))) / (2 * h)
        if abs(slope - found[place]) > 1e-7 + 1e-5 * abs(slope):
            return False
    return True
