"""1. Each gradient was scaled by its own length. All together have one direction, and it is kept
only if all are scaled by one factor. (There is clipping layer by layer, but it is another method.)

2. The factor was not limited to 1, so that short gradients were made *longer*. Near the end of a
training, when they become short, every step was as long as the limit: no rest.

3. A gradient of zeros was divided by its length, 0. With a length of all, compared before it is
divided by, that cannot happen.

4. The length that was returned was the last gradient's. One watches it to choose the limit, so it
should be the length of all, before clipping.

In minigrad it is `nn.utils.clip_grad_norm_`, in place. It divides by the length plus 1e-6, as
PyTorch does, so that the length becomes a hair less than the limit.
"""

import numpy as np


def clip(gradients, limit):
    """Return the clipped gradients as a list, and the length that they had.

    >>> clipped, length = clip([np.array([3.0]), np.array([0.0, 4.0])], 1.0)
    >>> [g.round(4).tolist() for g in clipped], round(float(length), 4)
    ([[0.6], [0.0, 0.8]], 5.0)
    """
    length = np.sqrt(sum(np.sum(g * g) for g in gradients))
    factor = limit / length if length > limit else 1.0
    return [g * factor for g in gradients], length
