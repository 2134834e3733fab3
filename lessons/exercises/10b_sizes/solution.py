"""1. `windows`: padding is added at *both* ends, and a window that does not fit whole is no window,
so that the division is rounded down: (n + 2 p - K) // s + 1. Rounding to the nearest even number,
as `round` does, is right often enough to be believed.

2. `features`: 6 is what is left of 24, or of 32 without any padding. Say where the number comes
from, in code, and it is right for all images: 64 * 8 * 8 for D4's.

3. `rows`: reshape(-1, n) asks for rows of n numbers, however many. With nine images of 4096 and
n = 2304 it makes sixteen rows without a word, and an image's numbers end up in another's row. Keep
the first axis: reshape(len(maps), -1), or flatten(1), or nn.Flatten.
"""

import numpy as np


def windows(n, kernel, stride, padding):
    """Return how many windows fit into n pixels with `padding` zeros at each end.

    >>> windows(32, 3, 1, 1), windows(7, 3, 2, 0)
    (32, 3)
    """
    return (n + 2 * padding - kernel) // stride + 1


def features(height, width):
    """Return how many numbers of an image D4's dense layer is given.

    >>> features(24, 24)
    2304
    """
    count = 64
    for n in (height, width):
        for _ in range(2):
            n = windows(n, 3, 1, 1)
            n = windows(n, 2, 2, 0)
        count *= n
    return count


def rows(maps):
    """Return maps of shape (N, channels, height, width) as N rows.

    >>> rows(np.zeros((9, 64, 8, 8))).shape
    (9, 4096)
    """
    return np.reshape(maps, (len(maps), -1))
