"""A step of Adam.

Lesson 6 judges two printed Adams; neither is one. Write it: from the parameters p, their gradient
g, the two running means m and v as they were, and the number t of this step (the first one has
t = 1), return the new p, the new m and the new v.

All of p, g, m and v have the same shape, whatever it is. The means that you return are those to be
kept, without the correction; the correction is for the step only. Change none of the arguments.
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
    raise NotImplementedError
