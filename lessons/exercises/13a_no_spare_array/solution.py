"""The three results are arrays like others until they are written. The new means need their places
from their first line on; the new parameters come last, so their place is free until then, and
serves as the spare array for all that is in between: 0.1 g, 0.001 g g, the root, the quotient.

The passes of lesson 13 do the same to a program: an elementwise result may lie where its operand
lay, if nobody needs that operand any more. Here it is done by hand, and by hand one has to look
that nothing is read after it was overwritten.

The bits are the same because each number goes through the same operations in the same order. A
product does not mind which factor comes first; a sum of three would mind where it begins.
"""

import numpy as np


def plain(p, g, m, v, rate):
    """Return the new parameters and the two new means. (This one is right.)"""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * (g * g)
    return p - rate * (m / (np.sqrt(v) + 1e-8)), m, v


def frugal(p, g, m, v, rate):
    """Return what `plain` returns.

    >>> p, g, m, v = np.ones(2), np.array([2.0, -1.0]), np.zeros(2), np.array([0.0, 4.0])
    >>> all(np.array_equal(*pair) for pair in zip(frugal(p, g, m, v, 0.1), plain(p, g, m, v, 0.1)))
    True
    """
    new_p, new_m, new_v = np.empty_like(p), np.empty_like(m), np.empty_like(v)
    np.multiply(g, 0.1, out=new_p)
    np.multiply(m, 0.9, out=new_m)
    np.add(new_m, new_p, out=new_m)
    np.multiply(g, g, out=new_p)
    np.multiply(new_p, 0.001, out=new_p)
    np.multiply(v, 0.999, out=new_v)
    np.add(new_v, new_p, out=new_v)
    np.sqrt(new_v, out=new_p)
    np.add(new_p, 1e-8, out=new_p)
    np.divide(new_m, new_p, out=new_p)
    np.multiply(new_p, rate, out=new_p)
    np.subtract(p, new_p, out=new_p)
    return new_p, new_m, new_v
