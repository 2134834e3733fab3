"""The windows of a convolution as the rows of a matrix (im2col), and their sum back (col2im).

Images are ``(N, H, W, G, C)``: G groups of C channels, over whatever memory. A matrix for each
group, ``(G, N rows columns, kh kw C)``, has a row for each window. The way back gives each element
the sum over the windows that it lies in, always in the same order, without atomic additions.
"""

from __future__ import annotations

from typing import Any

import cupy as cp

_WHERE = (
    "int64 height, int64 width, int64 groups, int64 depth, int64 kw, int64 offsets, int64 sh, "
    "int64 sw, int64 ph, int64 pw, int64 dh, int64 dw, int64 rows, int64 columns, int64 windows"
)

_IM2COL = cp.ElementwiseKernel(
    f"raw T images, {_WHERE}",
    "T matrix",
    """
    const long long channel = i % depth, offset = i / depth % offsets;
    const long long window = i / (depth * offsets) % windows;
    const long long group = i / (depth * offsets * windows);
    const long long row = window / columns % rows * sh - ph + offset / kw * dh;
    const long long column = window % columns * sw - pw + offset % kw * dw;
    const long long image = window / (rows * columns);
    if (row < 0 || row >= height || column < 0 || column >= width) matrix = T(0);
    else matrix = images[(((image * height + row) * width + column) * groups + group) * depth
                         + channel];
    """,
    "minigrad_im2col",
)

_COL2IM = cp.ElementwiseKernel(
    f"raw T matrix, {_WHERE}",
    "T image",
    """
    const long long channel = i % depth, group = i / depth % groups;
    const long long column = i / (depth * groups) % width + pw;
    const long long row = i / (depth * groups * width) % height + ph;
    const long long number = i / (depth * groups * width * height);
    T sum = T(0);
    for (long long offset = 0; offset < offsets; ++offset) {
        const long long down = row - offset / kw * dh, right = column - offset % kw * dw;
        if (down < 0 || right < 0 || down % sh || right % sw) continue;
        if (down / sh >= rows || right / sw >= columns) continue;
        const long long window = (number * rows + down / sh) * columns + right / sw;
        sum = sum + matrix[((group * windows + window) * offsets + offset) * depth + channel];
    }
    image = sum;
    """,
    "minigrad_col2im",
)


def _numbers(where: Any, images: int, groups: int, depth: int) -> tuple[int, ...]:
    rows, columns = where.counts
    return (
        *where.size, groups, depth, where.kernel[1], where.kernel[0] * where.kernel[1],
        *where.stride, *where.padding, *where.dilation, rows, columns, images * rows * columns,
    )  # fmt: skip


def im2col(images: Any, where: Any, out: Any = None) -> Any:
    """Return the windows of images, a matrix for each group, padding as zeros."""
    count, _, _, groups, depth = images.shape
    if out is None:
        windows = count * where.counts[0] * where.counts[1]
        out = (
            cp.empty((groups, windows, where.kernel[0] * where.kernel[1] * depth), images.dtype),
        )
    _IM2COL(images, *_numbers(where, count, groups, depth), out[0])
    return out[0]


def col2im(matrix: Any, where: Any, count: int, depth: int, out: Any = None) -> Any:
    """Return images to whose elements the rows of such matrices are added."""
    if out is None:
        out = (cp.empty((count, *where.size, len(matrix), depth), matrix.dtype),)
    _COL2IM(matrix, *_numbers(where, count, len(matrix), depth), out[0])
    return out[0]
