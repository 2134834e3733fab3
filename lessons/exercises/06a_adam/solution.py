"""Both means begin at 0 and are too small at first. After t steps with the same gradient g, m is
(1 - beta1^t) g and v is (1 - beta2^t) g^2; dividing by these factors makes them g and g^2, so that
the first step is the rate long, whatever the gradient.

Without the correction (F4, as D2 prints it) the first step is (1 - beta1) / sqrt(1 - beta2) rates
long, 3.16 with the usual betas, and the twelfth 6.57.

eps stands outside of the root. Inside of it, it would be another number: sqrt(1e-8) is 1e-4.
"""

import numpy as np


def adam_step(p, g, m, v, t, rate, beta1, beta2, eps):
    """Return the parameters after a step of Adam, and the two means to be kept.

    >>> p, m, v = adam_step(np.array([1.0, 1.0]), np.array([3.0, -0.01]), np.zeros(2), np.zeros(2),
    ...                     t=1, rate=0.1, beta1=0.9, beta2=0.999, eps=0.0)
    >>> p.round(9).tolist()
    [0.9, 1.1]
    >>> m.round(9).tolist()
    [0.3, -0.001]
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return p - rate * m_hat / (np.sqrt(v_hat) + eps), m, v
