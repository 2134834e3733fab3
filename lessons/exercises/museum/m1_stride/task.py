"""Museum: the stride that moved the wrong axis.

A convolution looks at an image through windows: output [i, j] is the sum of the window that begins
at row stride * i and column stride * j, times the kernel. Here is one, with its backward, as a
real library had it, in our words. With a stride of 1 it is right, and its tests had no other.

`mg.gradcheck` has no objection, with any stride; `check` shows you what it says. What does a
gradient check compare, and what does it not look at?

Mend `places`. The image is (height, width), the kernel is square, and there is no padding.
"""

import numpy as np


def places(size, kernel, stride):
    """Return the rows that each output sees: entry [i, p] is the row under the kernel's row p."""
    count = (size - kernel) // stride + 1
    out, inside = np.arange(count)[:, None], np.arange(kernel)[None, :]
    return out + stride * inside


def windows(image, kernel, stride):
    """Return the windows, with the shape (rows out, columns out, kernel, kernel)."""
    rows, columns = (places(n, kernel, stride) for n in image.shape)
    return image[rows[:, None, :, None], columns[None, :, None, :]]


def convolve(image, weight, stride):
    """Return the convolution of an image with a square kernel."""
    return np.einsum("ijpq,pq->ij", windows(image, len(weight), stride), weight)


def convolve_backward(g, image, weight, stride):
    """Return the gradients by image and weight."""
    by_weight = np.einsum("ijpq,ij->pq", windows(image, len(weight), stride), g)
    by_image = np.zeros(image.shape)
    rows, columns = (places(n, len(weight), stride) for n in image.shape)
    shares = g[:, :, None, None] * weight
    np.add.at(by_image, (rows[:, None, :, None], columns[None, :, None, :]), shares)
    return by_image, by_weight
