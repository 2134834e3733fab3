"""The stride belongs to the outputs: from one to the next the window moves by it. Inside the window
the rows are neighbours. With the stride on the kernel's rows (that is called a dilation) the
windows are spread out and hardly move.

Found in `im2col` of minigrad-framework 1.4.1 (no relation), where the windows were made by
`as_strided` and could even run past the end of the array. 583 tests and types everywhere did not
see it: none of them convolved with a stride.

A gradient check compares backward with *the forward that is there*. Forward and backward of the
wrong function agree perfectly. That forward is the right function needs a second source: a
definition written out as loops, another library, an example on paper.
"""

import numpy as np


def places(size, kernel, stride):
    """Return the rows that each output sees: entry [i, p] is the row under the kernel's row p."""
    count = (size - kernel) // stride + 1
    out, inside = np.arange(count)[:, None], np.arange(kernel)[None, :]
    return stride * out + inside


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
