"""Fix one place k, m of the kernel. Over all windows, w[k, m] was multiplied with the pixels
x[s i + k, s j + m]: every s-th pixel from k, m on, as many as y has. So

- dJ/dw[k, m] is the sum of g times these pixels;
- each of these pixels gets g times w[k, m], and the shares of the other places are *added*: a pixel
  lies in several windows.

A pixel in no window keeps its 0. The first line is a convolution of x by g (with gaps of s), the
second the transposed convolution: g lays the kernel down, window by window. In minigrad, mg.conv2d,
conv2d_weight and conv2d_input are these three, and each one's gradients are the other two.
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
    rows, columns = g.shape
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for k, m in np.ndindex(w.shape):
        seen = np.s_[k : k + stride * rows : stride, m : m + stride * columns : stride]
        dw[k, m] = np.sum(g * x[seen])
        dx[seen] += g * w[k, m]
    return dx, dw
