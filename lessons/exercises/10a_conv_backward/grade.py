"""How 10a is graded: against central differences, for several strides, kernels and rims."""

import numpy as np

from minigrad.learn.exercises import Gradients, floats

HINTS = (
    "Take a single weight w[k, m]. Which pixels is it multiplied with, and where do the products "
    "go?",
    "They are x[k::stride, m::stride], cut to the shape of g. For dx, several weights meet in one "
    "pixel: what do their shares do?",
    "for k, m in np.ndindex(w.shape): seen = np.s_[k : k + stride * rows : stride, ...]; "
    "dw[k, m] = (g * x[seen]).sum(); dx[seen] += g * w[k, m].",
)


def convolve(x, w, stride):
    """Return the convolution, by the sum as it is written."""
    shape = [(n - k) // stride + 1 for n, k in zip(x.shape, w.shape, strict=True)]
    y = np.zeros(shape)
    for i, j in np.ndindex(*shape):
        window = x[stride * i : stride * i + w.shape[0], stride * j : stride * j + w.shape[1]]
        y[i, j] = np.sum(window * w)
    return y


def cases(rng):
    """Yield square and other images and kernels, strides, and rims that no window reaches."""
    for image, kernel, stride in (
        ((4, 4), (3, 3), 1),
        ((5, 6), (3, 2), 1),
        ((6, 5), (2, 3), 2),
        ((7, 7), (3, 3), 2),
        ((6, 8), (3, 3), 2),
        ((5, 7), (1, 2), 3),
        ((3, 3), (3, 3), 1),
        ((4, 5), (1, 1), 1),
        ((7, 8), (2, 2), 3),
    ):
        x, w = floats(rng, image, kernel)
        yield x, w, stride


CHECKS = (Gradients("convolve_backward", convolve, cases, by=("x", "w")),)
WRONG = {
    "missing term": (
        ("np.sum(g * x[seen])", "np.sum(g) * x[seen].mean()"),
        ("g * w[k, m]", "g * w.mean()"),
    ),
    "typical mistake": (
        ("dx[seen] += g * w[k, m]", "dx[seen] = g * w[k, m]"),
        ("g * w[k, m]", "g * w[::-1, ::-1][k, m]"),
        ("m : m + stride * columns : stride", "m : m + columns"),
        (
            "np.s_[k : k + stride * rows : stride, m : m + stride * columns : stride]",
            "np.s_[k : k + rows, m : m + columns]",
        ),
        ("np.sum(g * x[seen])", "np.sum(g * x[seen][::-1, ::-1])"),
    ),
}
