"""A random cotangent, of both signs and with no number near 0, weighs each output differently, so
that no two can stand in for each other, and no sum of them is constant.

One must also not be able to guess it: a rule that ignores g (no chain rule) gives the right answer
for g = 1, and so passes in every check by ones. In a course's graded homework such rules passed
all tests of single ops, and everything that was sent in.

`mg.gradcheck` compares the whole Jacobian where that is small enough, weighs each row by another
number, and calls a check "vacuous" in which every derivative was 0.

Found in DeZero 0.0.13 (a softmax whose backward returns 0 passes its own check), in minitorch, and
in the tests of needle (2025-09). Chainer, MyGrad, HIPS autograd and PyTorch draw the cotangent.
"""

import numpy as np


def is_right(forward, backward, x):
    """Say whether backward(g, x) is the gradient of (g * forward(x)).sum() by x."""
    rng = np.random.default_rng()
    shape = np.shape(forward(x))
    g = rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)
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
