"""A copy of x is nudged, one number at a time, to both sides. Three traps are on the way:

- `x[i] += h` and later `x[i] -= h` does not give x[i] back: the sum was rounded. So nudge a copy,
  or put the old number back.
- `x.reshape(-1)` or `x.ravel()` of a transpose is a copy, and nudging it does nothing to x: the
  gradient is 0 everywhere. `np.ndindex` has no such trap.
- A whole number takes no step of 1e-5 at all. So the copy is one of float64.

The step is near the cube root of the machine's precision, 6e-6, where truncation and rounding are
equal. A forward difference, (f(x + h) - f(x)) / h, has six digits at best.
"""

import numpy as np


def numeric_gradient(f, x):
    """Return the gradient of f at x by central differences.

    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> numeric_gradient(lambda x: np.sum(x**2), x).round(6).tolist()
    [[2.0, 4.0], [6.0, 8.0]]
    """
    h = 6e-6
    gradient = np.zeros(np.shape(x))
    for place in np.ndindex(gradient.shape):
        sides = []
        for step in (h, -h):
            moved = np.array(x, dtype=np.float64)
            moved[place] += step
            sides.append(f(moved))
        gradient[place] = (sides[0] - sides[1]) / (2 * h)
    return gradient
