"""The three kernels of convolution on raw arrays: see `minigrad.ops.conv` for what they compute.

They work on images whose channels lie last in memory, since then a row of a window is one
contiguous piece. Windows are copied into the rows of a matrix (im2col), a tile at a time so that it
stays in the cache, for one matrix product for each tile and group. Convolutions of single channels
(depthwise) would be products with one column: they are sums of shifted products instead.

Shapes are written with N images, G groups, C channels and O outputs of a group, and k offsets in
the kernel; ``where`` says how its windows lie.
"""

from __future__ import annotations

from collections.abc import Iterator

from minigrad.backend import Array, Backend
from minigrad.ops.kernels import wide
from minigrad.ops.windows import Windows

_TILE = 1 << 19  # elements of a tile's matrix of windows: 2 MB in float32
_SHIFTED_TILE = 1 << 16  # of a depthwise tile


def forward(xp: Backend, x: Array, weight: Array, where: Windows, groups: int) -> Array:
    """Return the convolution of x with the weight."""
    dtype, x, weight = x.dtype, wide(x), wide(weight)
    images, kernel = _channels_last(xp, x, groups), _kernel(weight, groups)
    offsets, _, depth, outputs = kernel.shape
    make = xp.zeros if depth == 1 else xp.empty
    y = make((len(images), *where.counts, groups, outputs), x.dtype)
    if depth == 1:
        kernel = kernel[:, :, 0]
        for n, rows in _tiles(where, len(images), groups * outputs, _SHIFTED_TILE):
            for k, (out, into) in enumerate(where.rows(rows.start, rows.stop).pairs()):
                y[n, rows][:, *out] += images[n][:, *into] * kernel[k]
    else:
        windows = _windows(xp, images, where)
        matrix = kernel.swapaxes(0, 1).reshape(groups, offsets * depth, outputs)
        for n, rows in _tiles(where, len(images), offsets * groups * depth, _TILE):
            columns = windows[:, n, rows]
            out = y[n, rows]
            count = out.shape[0] * out.shape[1] * out.shape[2]
            xp.matmul(
                columns.reshape(groups, count, offsets * depth),
                matrix,
                out=out.reshape(count, groups, outputs).swapaxes(0, 1),
            )
    return _channels_first(y).astype(dtype, copy=False)


def to_input(xp: Backend, grad: Array, weight: Array, where: Windows, groups: int) -> Array:
    """Return the gradient of x: each element of ``grad`` lays its kernel where it was read."""
    dtype, grad, weight = grad.dtype, wide(grad), wide(weight)
    g, kernel = _channels_last(xp, grad, groups), _kernel(weight, groups)
    offsets, _, depth, outputs = kernel.shape
    x = xp.zeros((len(g), *where.size, groups, depth), grad.dtype)
    transposed = xp.ascontiguousarray(kernel.swapaxes(2, 3))  # (k, G, O, C)
    if depth == 1:
        for n, rows in _tiles(where, len(g), groups * outputs, _SHIFTED_TILE):
            for k, (out, into) in enumerate(where.rows(rows.start, rows.stop).pairs()):
                part = g[n, rows][:, *out] * kernel[k][:, 0]
                x[n][:, *into] += part if outputs == 1 else part.sum(axis=-1, keepdims=True)
    else:
        for n, rows in _tiles(where, len(g), offsets * groups * depth, _TILE):
            tile = g[n, rows]
            count = tile.shape[0] * tile.shape[1] * tile.shape[2]
            parts = xp.matmul(tile.reshape(count, groups, outputs).swapaxes(0, 1), transposed)
            for k, (out, into) in enumerate(where.rows(rows.start, rows.stop).pairs()):
                part = parts[k].reshape(groups, *tile.shape[:3], depth).transpose(1, 2, 3, 0, 4)
                x[n][:, *into] += part[:, *out]
    return _channels_first(x).astype(dtype, copy=False)


def to_weight(xp: Backend, x: Array, grad: Array, where: Windows, groups: int) -> Array:
    """Return the gradient of the weight: each window of x, weighed by its element of ``grad``."""
    dtype, x, grad = x.dtype, wide(x), wide(grad)
    images, g = _channels_last(xp, x, groups), _channels_last(xp, grad, groups)
    depth, outputs = images.shape[-1], g.shape[-1]
    offsets = where.kernel[0] * where.kernel[1]
    kernel = xp.zeros((groups, offsets, depth, outputs), x.dtype)
    if depth == 1:
        for k, (out, into) in enumerate(where.pairs()):
            kernel[:, k, 0] = xp.einsum("nhwg,nhwgo->go", images[:, *into][..., 0], g[:, *out])
    else:
        windows = _windows(xp, images, where)
        matrix = kernel.reshape(groups, offsets * depth, outputs)
        for n, rows in _tiles(where, len(images), offsets * groups * depth, _TILE):
            tile = g[n, rows]
            count = tile.shape[0] * tile.shape[1] * tile.shape[2]
            columns = windows[:, n, rows].reshape(groups, count, offsets * depth)
            matrix += columns.swapaxes(1, 2) @ tile.reshape(count, groups, outputs).swapaxes(0, 1)
    weight = kernel.reshape(groups, *where.kernel, depth, outputs).transpose(0, 4, 3, 1, 2)
    return weight.reshape(groups * outputs, depth, *where.kernel).astype(dtype, copy=False)


def _channels_last(xp: Backend, x: Array, groups: int) -> Array:
    """Return images (N, G C, H, W) as (N, H, W, G, C), contiguous: a copy only if they are not."""
    n, channels, height, width = x.shape
    last = xp.ascontiguousarray(x.transpose(0, 2, 3, 1))
    return last.reshape(n, height, width, groups, channels // groups)


def _channels_first(x: Array) -> Array:
    """Return images (N, H, W, G, C) as (N, G C, H, W), over the same memory."""
    return x.reshape(*x.shape[:3], x.shape[3] * x.shape[4]).transpose(0, 3, 1, 2)


def _kernel(weight: Array, groups: int) -> Array:
    """Return a weight (G O, C, kh, kw) as (k, G, C, O)."""
    outputs, depth, kh, kw = weight.shape
    last = weight.transpose(2, 3, 1, 0).reshape(kh * kw, depth, groups, outputs // groups)
    return last.swapaxes(1, 2)


def _windows(xp: Backend, images: Array, where: Windows) -> Array:
    """Return the windows of all groups, (G, N, rows, columns, kh, kw, C), as a view."""
    height, width = where.reach
    top, left = where.padding
    if top or left or height > where.size[0] or width > where.size[1]:
        padded = xp.zeros((len(images), height, width, *images.shape[3:]), images.dtype)
        inside = images[:, : height - top, : width - left]
        padded[:, top : top + inside.shape[1], left : left + inside.shape[2]] = inside
        images = padded
    (down, right), (dh, dw), (rows, columns) = where.stride, where.dilation, where.counts
    every = xp.sliding_windows(images, where.span, (1, 2))[:, ::down, ::right, :, :, ::dh, ::dw]
    return every[:, :rows, :columns].transpose(3, 0, 1, 2, 5, 6, 4)


def _tiles(where: Windows, images: int, width: int, size: int) -> Iterator[tuple[slice, slice]]:
    """Cut the windows, ``width`` numbers each, into tiles of about ``size``: (images, rows).

    A tile is whole images, or some rows of one.
    """
    rows, columns = where.counts
    height = max(1, min(rows, size // max(1, columns * width)))
    step = max(1, size // max(1, rows * columns * width))
    for n in range(0, images, step):
        for row in range(0, rows, height):
            yield slice(n, min(n + step, images)), slice(row, min(row + height, rows))
