"""Find the bug: D4's network does not fit its images.

D4 (section 4.1) has a dense layer for 64*6*6 numbers behind two convolutions of 3 x 3 (padding 1,
64 maps after the second), each followed by a pooling of 2 x 2 with stride 2, for images of 32 x 32.
Here are the three functions that its sizes come from, with a bug in each:

- `windows` is the number of windows of lesson 10, section 5, along one axis;
- `features` is how many numbers one image has after the second pooling: for images of any size, not
  only D4's;
- `rows` makes a row of each image's maps, for a dense layer.
"""

import numpy as np


def windows(n, kernel, stride, padding):
    """Return how many windows fit into n pixels with `padding` zeros at each end.

    >>> windows(32, 3, 1, 1), windows(7, 3, 2, 0)
    (32, 3)
    """
    return round((n + padding - kernel) / stride) + 1


def features(height, width):
    """Return how many numbers of an image D4's dense layer is given.

    >>> features(24, 24)
    2304
    """
    return 64 * 6 * 6


def rows(maps):
    """Return maps of shape (N, channels, height, width) as N rows.

    >>> rows(np.zeros((9, 64, 8, 8))).shape
    (9, 4096)
    """
    return np.reshape(maps, (-1, features(32, 32)))
