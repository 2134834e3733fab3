"""Museum: the test that draws its exponent from one number.

A test of the rule of x^n draws n at random, so that no answer can be made to measure. It draws
with `integers(1)`, though: a whole number from 0 up to, and without, 1. That is always 0, x^0 is
always 1, and the right gradient is always 0. A rule that returns zeros passed the whole file.

Mend `power_is_right`. It gets power_backward(g, x, n), which is to return the gradient of
(g * x**n).sum() by x for whole numbers n from 0, and a random generator, and says whether the rule
is right. It must refuse wrong rules *every* time, not in most of the draws.
"""

import numpy as np


def power_is_right(power_backward, rng):
    """Say whether power_backward(g, x, n) is the gradient of (g * x**n).sum() by x."""
    n = rng.integers(1)
    x, g = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    found = power_backward(g, x, n)
    h = 1e-5
    slope = g * ((x + h) ** n - (x - h) ** n) / (2 * h)
    return bool(np.allclose(found, slope, rtol=1e-4, atol=1e-6))
