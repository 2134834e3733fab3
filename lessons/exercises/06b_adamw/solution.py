"""The four mistakes, in the order of the lines:

1. `p = start` gives the caller's array a second name, and `p -= ...` changes it. Whoever calls has
   another starting point afterwards, and so has `path`, whose first entry is the same array.
   `start.copy()` is a new one.
2. `m = v = np.zeros_like(start)` is *one* array with two names. What is written into v is in m.
3. `gradient(p) + decay * p` is Adam with an L2 term (F24): the decay is divided by the root of v,
   so that a weight with large gradients is hardly pulled. AdamW multiplies p by 1 - rate * decay
   and leaves the gradient alone.
4. The corrections have the power of beta, not a multiple. 1 - beta * t agrees at t = 1 and is
   negative from t = 2 on, for these betas: v_hat has no root any more.

The first step looks plausible with all four in it, which is why one step is no test.
"""

import numpy as np


def descend(gradient, start, steps, rate, decay, beta1=0.9, beta2=0.999, eps=1e-8):
    """Return the points on the way, as an array: start first, then one for each step.

    >>> path = descend(lambda p: 2 * p, np.array([1.0, -5.0]), steps=1, rate=0.1, decay=0.5)
    >>> path.round(6).tolist()
    [[1.0, -5.0], [0.85, -4.65]]
    """
    p = start.copy()
    m, v = np.zeros_like(start), np.zeros_like(start)
    path = [p.copy()]
    for t in range(1, steps + 1):
        g = gradient(p)
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        p *= 1 - rate * decay
        p -= rate * m_hat / (np.sqrt(v_hat) + eps)
        path.append(p.copy())
    return np.array(path)
