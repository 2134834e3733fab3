"""A gradient from values alone.

Lesson 3 checks gradients by a second number that needs no calculus: the central difference. Write
it for a function of any array: f(x) is one number, and the answer has the shape of x.

It must be a good one: nine digits where the function is tame, so that a wrong gradient has
nowhere to hide. And it must leave x as it was, to the last bit, and work for an x of any number
of axes (none included), for one that is a view of another array (a transpose), and for whole
numbers.
"""

import numpy as np


def numeric_gradient(f, x):
    """Return the gradient of f at x by central differences.

    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> numeric_gradient(lambda x: np.sum(x**2), x).round(6).tolist()
    [[2.0, 4.0], [6.0, 8.0]]
    """
    raise NotImplementedError
