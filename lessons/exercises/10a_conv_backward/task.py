"""The gradients of a convolution.

`convolve` is lesson 10's sum, with a stride s: y[i, j] is the sum over k and m of
w[k, m] x[s i + k, s j + m]. The image has one channel, and there is no padding.

Somebody hands you g, the gradient of the loss J by y. Return the gradients of J by x and by w, each
in the shape of its own, with NumPy alone. Loops over the kernel are fine; loops over the image are
not needed. Mind the rim: with a stride, the last rows and columns of x may lie in no window.
"""

import numpy as np


def convolve(x, w, stride):
    """Return the convolution of an image x by a kernel w.

    >>> convolve(np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[1.0, 10.0]]), 2).tolist()
    [[21.0, 43.0]]
    """
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape)[::stride, ::stride]
    return np.einsum("ijkm,km->ij", windows, w)


def convolve_backward(g, x, w, stride):
    """Return dJ/dx and dJ/dw.

    >>> x, w = np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[1.0, 10.0]])
    >>> dx, dw = convolve_backward(np.array([[1.0, 100.0]]), x, w, 2)
    >>> dx.tolist()
    [[1.0, 10.0, 100.0, 1000.0]]
    >>> dw.tolist()
    [[301.0, 402.0]]
    """
    raise NotImplementedError
