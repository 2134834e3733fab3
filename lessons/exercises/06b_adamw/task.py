"""Find the bug: an AdamW that is not.

`descend` is to follow AdamW from a starting point, and to return all points on the way. It runs,
and it has four mistakes. Two are ideas that lesson 6 corrects; two are about arrays that are
changed in place, and could have happened to anybody. Mend it.

`gradient` is a function: gradient(p) is the gradient at p, an array of p's shape.
"""

import numpy as np


def descend(gradient, start, steps, rate, decay, beta1=0.9, beta2=0.999, eps=1e-8):
    """Return the points on the way, as an array: start first, then one for each step.

    >>> path = descend(lambda p: 2 * p, np.array([1.0, -5.0]), steps=1, rate=0.1, decay=0.5)
    >>> path.round(6).tolist()
    [[1.0, -5.0], [0.85, -4.65]]
    """
    p = start
    m = v = np.zeros_like(start)
    path = [p]
    for t in range(1, steps + 1):
        g = gradient(p) + decay * p
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * g**2
        m_hat = m / (1 - beta1 * t)
        v_hat = v / (1 - beta2 * t)
        p -= rate * m_hat / (np.sqrt(v_hat) + eps)
        path.append(p.copy())
    return np.array(path)
