"""A step with L1, and a step with L2.

Lesson 7 makes weights exactly 0 by a soft threshold. Write a step of gradient descent with each of
the two decays, from the weights w, their gradient g, the rate, and the decay's strength lambda:

- `l2_step`: the weights are multiplied by 1 - rate * strength, and the gradient's step is made;
- `l1_step`: the gradient's step is made, and what it gives is brought nearer to 0 by
  rate * strength, but never past 0.

w and g have the same shape. Change neither of them.
"""

import numpy as np


def l2_step(w, g, rate, strength):
    """Return the weights after a step with L2.

    >>> l2_step(np.array([1.0, -2.0]), np.array([0.5, 0.0]), rate=0.1, strength=1.0).tolist()
    [0.85, -1.8]
    """
    raise NotImplementedError


def l1_step(w, g, rate, strength):
    """Return the weights after a step with L1.

    >>> w, g = np.array([1.0, 0.1, -0.9]), np.array([1.0, 0.0, -1.0])
    >>> l1_step(w, g, rate=0.1, strength=2.0).round(9).tolist()
    [0.7, 0.0, -0.6]
    """
    raise NotImplementedError
