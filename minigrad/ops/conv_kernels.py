"""The three kernels of convolution on raw arrays: see `minigrad.ops.conv` for what they compute.

They work on images whose channels lie last in memory, since then a row of a window is one
contiguous piece. Windows are copied into the rows of a matrix (im2col), a tile at a time so that it
stays in the cache, for one matrix product for each tile and group. Convolutions of single channels
(depthwise) would be products with one column: there whole rows of pixels are multiplied and added.

Shapes are written with N images, G groups, C channels and O outputs of a group, and k offsets in
the kernel; ``where`` says how its windows lie.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from minigrad.backend import Array, Backend
from minigrad.ops import conv_columns
from minigrad.ops.kernels import add_to_rows, wide
from minigrad.ops.windows import Windows, images_at_once

_TILE = 1 << 19  # elements of a tile's matrix of windows: 2 MB in float32
_SHIFTED_TILE = 1 << 16  # of a tile of shifted products
_SUMS, _SUMMED = 8, 1 << 19  # sums of a gradient of the weight: so many, of so many numbers

Tile = tuple[slice, slice]  # images, and rows of windows


def forward(
    xp: Backend, x: Array, weight: Array, bias: Array | None, where: Windows, groups: int
) -> Array:
    """Return the convolution of x with the weight, plus the bias (added while in the cache)."""
    dtype, x, weight = x.dtype, wide(x), wide(weight)
    images, kernel = _channels_last(x, groups), _kernel(weight, groups)
    depth, outputs = kernel.shape[2:]
    shape = (len(images), *where.counts, groups, outputs)

    def add_bias(part: Array) -> None:
        if bias is not None:
            add_to_rows(xp, part.reshape((-1, groups * outputs)), wide(bias))

    if _is_single(where) and groups == 1:
        y = xp.matmul(_picked(xp, images, where), kernel[0, 0]).reshape(shape)
    elif xp.kernels is not None:
        y = conv_columns.forward(xp, images, kernel, where)
    elif depth == outputs == 1 and groups > 1:
        y = _depthwise(xp, images, kernel, where)
    elif depth == 1 and groups > 1:
        y = xp.zeros(shape, x.dtype)
        kernel = kernel[:, :, 0]
        for n, rows in _tiles(where, len(images), groups * outputs, _SHIFTED_TILE):
            for k, (out, into) in enumerate(where.rows(rows.start, rows.stop).pairs()):
                y[n, rows][:, *out] += images[n][:, *into] * kernel[k]
    else:
        y = xp.empty(shape, x.dtype)
        _products(xp, images, kernel, where, y, add_bias)
        return _channels_first(y).astype(dtype, copy=False)
    add_bias(y)
    return _channels_first(y).astype(dtype, copy=False)


def _products(
    xp: Backend,
    images: Array,
    kernel: Array,
    where: Windows,
    y: Array,
    finish: Callable[[Array], None],
) -> None:
    """Write the products of the windows and the kernel to y, and finish each tile."""
    offsets, groups, depth, outputs = kernel.shape
    matrix = kernel.swapaxes(0, 1).reshape(groups, offsets * depth, outputs)

    def multiply(tile: Tile) -> None:
        columns = _windows(xp, *_part(images, where, tile))
        count = math.prod(columns.shape[1:4])
        xp.matmul(
            columns.reshape(groups, count, offsets * depth),
            matrix,
            out=y[tile].reshape(count, groups, outputs).swapaxes(0, 1),
        )
        finish(y[tile])

    xp.each([*_tiles(where, len(images), offsets * groups * depth, _TILE)], multiply)


def to_input(xp: Backend, grad: Array, weight: Array, where: Windows, groups: int) -> Array:
    """Return the gradient of x: each element of ``grad`` lays its kernel where it was read."""
    dtype, grad, weight = grad.dtype, wide(grad), wide(weight)
    g, kernel = _channels_last(grad, groups), _kernel(weight, groups)
    offsets, _, depth, outputs = kernel.shape
    shape = (len(g), *where.size, groups, depth)
    back, line = where.transposed, _along_rows(where).transposed
    if groups == 1 and _is_single(where) and where.counts == where.size:
        x = xp.matmul(_picked(xp, g, where), kernel[0, 0].T).reshape(shape)
    elif xp.kernels is not None:
        x = conv_columns.to_input(xp, g, kernel, where)
    elif depth == outputs == 1 and groups > 1 and back is not None:
        x = _depthwise(xp, g, kernel[::-1], back)
    elif depth == 1 and groups > 1:
        x = xp.zeros(shape, grad.dtype)
        for n, rows in _tiles(where, len(g), groups * outputs, _SHIFTED_TILE):
            for k, (out, into) in enumerate(where.rows(rows.start, rows.stop).pairs()):
                part = g[n, rows][:, *out] * kernel[k][:, 0]
                x[n][:, *into] += part if outputs == 1 else part.sum(axis=-1, keepdims=True)
    elif groups == 1 and line is not None:
        x = _by_rows(xp, g, kernel, where, line)
    else:
        x = xp.zeros(shape, grad.dtype)
        g = xp.ascontiguousarray(g)
        transposed = xp.ascontiguousarray(kernel.swapaxes(2, 3))  # (k, G, O, C)
        for n, rows in _tiles(where, len(g), offsets * groups * depth, _TILE):
            tile = g[n, rows]
            count = math.prod(tile.shape[:3])
            parts = xp.matmul(tile.reshape(count, groups, outputs).swapaxes(0, 1), transposed)
            for k, (out, into) in enumerate(where.rows(rows.start, rows.stop).pairs()):
                part = parts[k].reshape(groups, *tile.shape[:3], depth).transpose(1, 2, 3, 0, 4)
                x[n][:, *into] += part[:, *out]
    return _channels_first(x).astype(dtype, copy=False)


# 64 images of 16x16, 32 -> 64 channels, kernel 3x3: 9.6 -> 7.5 ms, of which the products are 7.2
def _by_rows(xp: Backend, g: Array, kernel: Array, where: Windows, line: Windows) -> Array:
    """Return the gradient of x for windows without a step along the rows, and one group.

    Along a row it is a convolution, whose windows ``line`` are copied; across the rows the parts
    of the product are added where they belong. So kw copies and kh sums do for kh kw sums.
    """
    (kh, kw), width = where.kernel, where.size[1]
    depth, outputs = kernel.shape[2:]
    x = xp.empty((len(g), *where.size, 1, depth), g.dtype)
    matrix = kernel.reshape(kh, kw, depth, outputs)[:, ::-1].transpose(1, 3, 0, 2)
    matrix = matrix.reshape(kw * outputs, kh * depth)
    across = where._replace(kernel=(kh, 1), counts=(where.counts[0], width))

    all_rows = slice(0, where.size[0], 1)
    wanted = [into[0] for _, into in across.pairs()]
    first = wanted.index(all_rows) if all_rows in wanted else None  # an offset that all rows have

    def add(tiles: list[Tile]) -> None:
        begins = first if len(tiles) == 1 else None  # then that offset's part needs no zeros
        if begins is None:
            x[tiles[0][0]] = 0
        for n, rows in tiles:
            tile = g[n, rows]
            lines = tile.shape[0] * tile.shape[1]  # no -1: an image may have no columns
            windows = _windows(xp, tile.reshape(lines, 1, *tile.shape[2:]), line)
            parts = windows.reshape(lines * width, kw * outputs) @ matrix
            parts = parts.reshape(*tile.shape[:2], width, kh, 1, depth)
            pairs = list(across.rows(rows.start, rows.stop).pairs())
            if begins is not None:
                x[n] = parts[:, pairs[begins][0][0], :, begins]
            for k, (out, into) in enumerate(pairs):
                if k != begins:
                    x[n][:, into[0]] += parts[:, out[0], :, k]

    xp.each(_by_images(_tiles(across, len(g), kw * outputs, _TILE)), add)
    return x


def to_weight(xp: Backend, x: Array, grad: Array, where: Windows, groups: int) -> Array:
    """Return the gradient of the weight: each window of x, weighed by its element of ``grad``."""
    dtype, x, grad = x.dtype, wide(x), wide(grad)
    images, g = _channels_last(x, groups), xp.ascontiguousarray(_channels_last(grad, groups))
    depth, outputs = images.shape[-1], g.shape[-1]
    offsets = where.kernel[0] * where.kernel[1]
    if _is_single(where) and groups == 1:
        kernel = xp.matmul(_picked(xp, images, where).T, g.reshape(-1, outputs))
    elif xp.kernels is not None:
        kernel = conv_columns.to_weight(xp, images, g, where)
    elif depth == outputs == 1 and groups > 1:
        kernel = _depthwise_weight(xp, images, g, where)
    elif depth == 1 and groups > 1:
        kernel = xp.empty((groups, offsets, depth, outputs), x.dtype)
        for k, (out, into) in enumerate(where.pairs()):
            kernel[:, k, 0] = xp.einsum("nhwg,nhwgo->go", images[:, *into][..., 0], g[:, *out])
    else:
        kernel = _sums(xp, images, g, where)
    weight = kernel.reshape(groups, *where.kernel, depth, outputs).transpose(0, 4, 3, 1, 2)
    return weight.reshape(groups * outputs, depth, *where.kernel).astype(dtype, copy=False)


def _sums(xp: Backend, images: Array, g: Array, where: Windows) -> Array:
    """Return the products of the windows and ``g``, added up over all of them, (G, k C, O).

    Each of a few stretches of tiles has its own sum, and these are added in order: how many there
    are hangs on the sizes alone, so that the bits do not depend on the number of threads.
    """
    (groups, depth), outputs = images.shape[3:], g.shape[-1]
    inner = math.prod(where.kernel) * depth
    tiles = [*_tiles(where, len(images), inner * groups, _TILE)]
    size = inner * groups * outputs
    count = max(1, min(_SUMS, len(tiles), _SUMMED // max(1, size)))
    made = xp.empty if tiles else xp.zeros
    sums = made((count, groups, inner, outputs), images.dtype)

    def add(k: int) -> None:
        first = k * len(tiles) // count
        for i in range(first, (k + 1) * len(tiles) // count):
            part = g[tiles[i]]
            rows = math.prod(part.shape[:3])
            columns = _windows(xp, *_part(images, where, tiles[i])).reshape(groups, rows, inner)
            a, b = columns.swapaxes(1, 2), part.reshape(rows, groups, outputs).swapaxes(0, 1)
            if i == first:
                xp.matmul(a, b, out=sums[k])
            else:
                sums[k] += a @ b

    xp.each(range(count), add)
    total = sums[0]
    for other in sums[1:]:
        total += other
    return total


# ---- kernels of one element ---------------------------------------------------------------------


def _is_single(where: Windows) -> bool:
    """Whether windows are single elements of the images: then all is one product."""
    return where.kernel == (1, 1) and where.padding == (0, 0)


def _picked(xp: Backend, images: Array, where: Windows) -> Array:
    """Return those elements as the rows of a matrix (of one group)."""
    (down, right), (rows, columns) = where.stride, where.counts
    picked = images[:, ::down, ::right][:, :rows, :columns]
    count = math.prod(picked.shape[:4])
    return xp.ascontiguousarray(picked).reshape(count, images.shape[-1])


# ---- depthwise ----------------------------------------------------------------------------------
# Whole rows of pixels are multiplied and added in one pass for each offset, by einsum; before, each
# offset was a product and a sum. Forward: 144 channels 56x56 2.5 -> 0.8 ms, stride 2 on 96 channels
# 112x112 2.2 -> 1.2 ms.


def _depthwise(xp: Backend, images: Array, kernel: Array, where: Windows) -> Array:
    """Return the convolution of single channels (N, H, W, G, 1) with a kernel (k, G, 1, 1)."""
    view, folds = _pixel_rows(xp, images, where)
    weight = xp.tile(kernel.reshape(*where.kernel, kernel.shape[1]), (1, 1, folds))
    y = xp.einsum("nrijqp,ijp->nrqp", view, xp.ascontiguousarray(weight))
    y = xp.ascontiguousarray(y)  # CuPy's is not, and the bias is added through a view
    return y.reshape(len(images), *where.counts, kernel.shape[1], 1)


def _depthwise_weight(xp: Backend, images: Array, g: Array, where: Windows) -> Array:
    """Return the gradient of such a kernel, (G, k)."""
    view, folds = _pixel_rows(xp, images, where)
    kernel = xp.einsum("nrijqp,nrqp->ijp", view, g.reshape(*view.shape[:2], *view.shape[4:]))
    return kernel.reshape(math.prod(where.kernel), folds, -1).sum(axis=1).T


def _pixel_rows(xp: Backend, images: Array, where: Windows) -> tuple[Array, int]:
    """Return the windows as (N, rows, kh, kw, columns / folds, folds G), a view, and the folds.

    ``folds`` pixels that lie side by side are one row: all of them, if there is no step.
    """
    windows = _windows(xp, images, where)[..., 0].transpose(1, 2, 4, 5, 3, 0)
    folds = max(1, windows.shape[4]) if where.stride[1] == 1 else 1
    shape = (*windows.shape[:4], windows.shape[4] // folds, folds * windows.shape[5])
    return windows.reshape(shape), folds


# ---- layout -------------------------------------------------------------------------------------


def _channels_last(x: Array, groups: int) -> Array:
    """Return images (N, G C, H, W) as (N, H, W, G, C), a view of them if their channels lie last.

    If they do not, it may be a view too: who needs it contiguous makes it so.
    """
    n, channels, height, width = x.shape
    return x.transpose(0, 2, 3, 1).reshape(n, height, width, groups, channels // groups)


def _along_rows(where: Windows) -> Windows:
    """Return what the windows are along the rows, over images of one row."""
    ones = {"size": 1, "kernel": 1, "stride": 1, "padding": 0, "dilation": 1, "counts": 1}
    return Windows(**{n: (one, getattr(where, n)[1]) for n, one in ones.items()})


def _channels_first(x: Array) -> Array:
    """Return images (N, H, W, G, C) as (N, G C, H, W), over the same memory."""
    return x.reshape(*x.shape[:3], x.shape[3] * x.shape[4]).transpose(0, 3, 1, 2)


def _kernel(weight: Array, groups: int) -> Array:
    """Return a weight (G O, C, kh, kw) as (k, G, C, O)."""
    outputs, depth, kh, kw = weight.shape
    last = weight.transpose(2, 3, 1, 0).reshape(kh * kw, depth, groups, outputs // groups)
    return last.swapaxes(1, 2)


def _part(images: Array, where: Windows, tile: Tile) -> tuple[Array, Windows]:
    """Return the images of a tile, those rows that its windows read, and how they lie there."""
    n, rows = tile
    where = where.rows(rows.start, rows.stop)
    top, below = max(0, where.padding[0]), max(0, -where.padding[0])
    part = images[n, below : max(below, where.reach[0] - where.padding[0])]
    size, padding = (part.shape[1], where.size[1]), (top, where.padding[1])
    return part, where._replace(size=size, padding=padding)


def _windows(xp: Backend, images: Array, where: Windows) -> Array:
    """Return the windows of all groups, (G, N, rows, columns, kh, kw, C), as a view."""
    if 0 in where.counts:  # of no size: the window may be larger than the image
        n, _, _, groups, depth = images.shape
        return xp.zeros((groups, n, *where.counts, *where.kernel, depth), images.dtype)
    height, width = where.reach
    top, left = where.padding
    if top or left or height > where.size[0] or width > where.size[1]:
        padded = xp.zeros((len(images), height, width, *images.shape[3:]), images.dtype)
        inside = images[:, : height - top, : width - left]
        padded[:, top : top + inside.shape[1], left : left + inside.shape[2]] = inside
        images = padded
    else:
        images = xp.ascontiguousarray(images)
    (down, right), (dh, dw), (rows, columns) = where.stride, where.dilation, where.counts
    every = xp.sliding_windows(images, where.span, (1, 2))[:, ::down, ::right, :, :, ::dh, ::dw]
    return every[:, :rows, :columns].transpose(3, 0, 1, 2, 5, 6, 4)


def _by_images(tiles: Iterable[Tile]) -> list[list[Tile]]:
    """Return the tiles of the same images together."""
    return [[*same] for _, same in groupby(tiles, key=lambda tile: tile[0].start)]


def _tiles(where: Windows, images: int, width: int, size: int) -> Iterator[tuple[slice, slice]]:
    """Cut the windows, ``width`` numbers each, into tiles of about ``size``: (images, rows).

    A tile is whole images, or some rows of one.
    """
    rows, columns = where.counts
    height = max(1, min(rows, size // max(1, columns * width)))
    step = images_at_once(size / max(1, rows * columns * width))
    for n in range(0, images, step):
        for row in range(0, rows, height):
            yield slice(n, min(n + step, images)), slice(row, min(row + height, rows))
