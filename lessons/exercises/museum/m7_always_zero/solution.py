"""`rng.integers(1)` is always 0, as `np.random.randint(1)` is: the end is not included. And 0 is
the one exponent for which everything with a factor n passes.

Random is no cure by itself. With n from 1, 2, 3 a rule that forgets the factor n passes in a third
of the runs, namely for n = 1; that test would be called flaky, and run again until it passes.
Exponents in which rules differ belong into *every* run: 0, where g x^(n-1) n has to be 0; 1, where
x^(n-1) has to be 1; 2 and 3, of which one has an odd derivative and one an even one (a rule with
|x| passes the other), and a larger one. What may be random is the rest.

`mg.gradcheck` calls a check in which all derivatives are 0 "vacuous", and does not pass it.

Found in the homework of needle (2025-09). To look at what a test draws, print it once.
"""

import numpy as np


def power_is_right(power_backward, rng):
    """Say whether power_backward(g, x, n) is the gradient of (g * x**n).sum() by x."""
    for n in (0, 1, 2, 3, int(rng.integers(4, 7))):
        x, g = (rng.uniform(0.5, 1.5, (3, 4)) * rng.choice([-1.0, 1.0], (3, 4)) for _ in range(2))
        x[0, 0], x[0, 1] = 1.3, -1.3
        found = power_backward(g, x, n)
        if np.shape(found) != x.shape:
            return False
        h = 1e-5
        slope = g * ((x + h) ** n - (x - h) ** n) / (2 * h)
        if not np.allclose(found, slope, rtol=1e-5, atol=1e-6):
            return False
    return True
