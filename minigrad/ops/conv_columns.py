"""Convolution on a GPU: the windows of all images as a matrix, and one product.

Where `minigrad.ops.conv_kernels` works through tiles that stay in a processor's cache, a GPU wants
few calls on much: the windows are copied by one kernel (im2col), or added back by one (col2im), for
as many images at a time as have 256 MB of windows in float32.
"""

from __future__ import annotations

from collections.abc import Iterator

from minigrad.backend import Array, Backend
from minigrad.ops.windows import Windows

_LIMIT = 1 << 26  # elements of a matrix of windows


def forward(xp: Backend, images: Array, kernel: Array, where: Windows) -> Array:
    """Return the convolution of images (N, H, W, G, C) with a kernel (k, G, C, O)."""
    offsets, groups, depth, outputs = kernel.shape
    matrix = kernel.swapaxes(0, 1).reshape(groups, offsets * depth, outputs)
    y = xp.empty((len(images), *where.counts, groups, outputs), images.dtype)
    for part in _parts(images, kernel, where):
        rows = y[part].reshape(-1, groups, outputs)
        columns = xp.kernels.im2col(images[part], where)
        if groups == 1:
            xp.matmul(columns[0], matrix[0], out=rows[:, 0])
        else:
            rows[...] = xp.matmul(columns, matrix).swapaxes(0, 1)
    return y


def to_input(xp: Backend, g: Array, kernel: Array, where: Windows) -> Array:
    """Return the gradient of the images for that of the convolution, (N, H', W', G, O)."""
    offsets, groups, depth, outputs = kernel.shape
    matrix = kernel.transpose(1, 3, 0, 2).reshape(groups, outputs, offsets * depth)
    images = xp.empty((len(g), *where.size, groups, depth), g.dtype)
    for part in _parts(g, kernel, where):
        rows = g[part].reshape(-1, groups, outputs).swapaxes(0, 1)
        columns = xp.matmul(rows, matrix)
        images[part] = xp.kernels.col2im(columns, where, len(g[part]), depth)
    return images


def to_weight(xp: Backend, images: Array, g: Array, where: Windows) -> Array:
    """Return the gradient of the kernel as a matrix for each group, (G, k C, O)."""
    groups, depth = images.shape[3:]
    outputs = g.shape[-1]
    offsets = where.kernel[0] * where.kernel[1]
    total = xp.zeros((groups, offsets * depth, outputs), images.dtype)
    kernel = total.reshape(groups, offsets, depth, outputs).swapaxes(0, 1)
    for part in _parts(images, kernel, where):
        rows = g[part].reshape(-1, groups, outputs).swapaxes(0, 1)
        total += xp.matmul(xp.kernels.im2col(images[part], where).swapaxes(1, 2), rows)
    return total


def _parts(images: Array, kernel: Array, where: Windows) -> Iterator[slice]:
    """Cut the images into slices whose windows fit the limit."""
    offsets, groups, depth = kernel.shape[:3]
    one = max(1, where.counts[0] * where.counts[1] * offsets * groups * depth)
    step = max(1, _LIMIT // one)
    for start in range(0, len(images), step):
        yield slice(start, min(start + step, len(images)))
