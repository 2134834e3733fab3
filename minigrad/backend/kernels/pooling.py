"""Pooling windows: a thread for each window, or for each element that windows share.

Arrays may lie in any order. Windows over one axis are windows over images of one row.
"""

from __future__ import annotations

import math
from typing import Any

import cupy as cp
import numpy as np

from minigrad.backend.kernels.rows import one_of

_WHERE = (
    "int64 height, int64 width, int64 kh, int64 kw, int64 sh, int64 sw, int64 ph, int64 pw, "
    "int64 dh, int64 dw, int64 rows, int64 columns"
)

# The window of thread i: which image, and where it begins.
_WINDOW = """
    const long long image = i / (rows * columns);
    const long long top = i / columns % rows * sh - ph, left = i % columns * sw - pw;
"""
_EACH = """
    for (long long k = 0; k < kh; ++k) for (long long l = 0; l < kw; ++l) {
        const long long row = top + k * dh, column = left + l * dw;
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        const T value = x[(image * height + row) * width + column];
"""

_MAX = cp.ElementwiseKernel(
    f"raw T x, {_WHERE}",
    "T y",
    f"""{_WINDOW}
    T largest = T(0);
    bool some = false;
    {_EACH}
        if (!some || value > largest || value != value) largest = value;
        some = true;
    }}
    y = largest;""",
    "minigrad_window_max",
)
_CHOICE = cp.ElementwiseKernel(
    f"raw T x, T largest, {_WHERE}",
    "C choice",
    f"""{_WINDOW}
    long long found = kh * kw;
    {_EACH}
        const bool hit = value == largest || (value != value && largest != largest);
        if (hit && k * kw + l < found) found = k * kw + l;
    }}
    choice = (C)found;""",
    "minigrad_window_choice",
)
_WIDE = """
template <typename T> struct Sum { typedef T type; };
template <> struct Sum<float16> { typedef float type; };
"""
_SUM = cp.ElementwiseKernel(
    f"raw T x, C choice, bool all, {_WHERE}",
    "T y",
    f"""{_WINDOW}
    typename Sum<T>::type sum = 0;
    {_EACH}
        if (all || (long long)choice == k * kw + l) sum += value;
    }}
    y = (T)sum;""",
    "minigrad_window_sum",
    preamble=_WIDE,
)

# The other way round: element i asks the windows that it lies in.
_SPREAD = cp.ElementwiseKernel(
    f"raw T x, raw C choice, bool all, {_WHERE}",
    "T y",
    """
    const long long image = i / (height * width);
    const long long row = i / width % height + ph, column = i % width + pw;
    typename Sum<T>::type sum = 0;
    for (long long k = 0; k < kh; ++k) for (long long l = 0; l < kw; ++l) {
        const long long down = row - k * dh, right = column - l * dw;
        if (down < 0 || right < 0 || down % sh || right % sw) continue;
        if (down / sh >= rows || right / sw >= columns) continue;
        const long long window = (image * rows + down / sh) * columns + right / sw;
        if (all || (long long)choice[window] == k * kw + l) sum += x[window];
    }
    y = (T)sum;""",
    "minigrad_window_spread",
    preamble=_WIDE,
)


def _numbers(where: Any) -> tuple[int, ...]:
    """Return where windows over two axes lie; over one axis, images of one row."""
    one = {"padding": 0}
    pairs: list[int] = []
    for name in ("size", "kernel", "stride", "padding", "dilation", "counts"):
        value = getattr(where, name)
        pairs += value if len(value) == 2 else (one.get(name, 1), *value)
    return tuple(map(int, pairs))


def _windows_of(x: Any, where: Any) -> tuple[int, ...]:
    return (*x.shape[: x.ndim - len(where.size)], *where.counts)


def _no_choice(shape: tuple[int, ...]) -> Any:
    """Return something in the place of a choice that is not asked."""
    return cp.broadcast_to(one_of(0, np.uint8, cp.cuda.runtime.getDevice()), shape)


def window_max(x: Any, where: Any, out: Any = None) -> Any:
    """Return the largest element of every window; NaN is larger than any number."""
    if out is None:
        out = (cp.empty_like(x, shape=_windows_of(x, where)),)
    _MAX(x, *_numbers(where), out[0])
    return out[0]


def window_choice(x: Any, largest: Any, where: Any, out: Any = None) -> Any:
    """Return which offset in its window holds the ``largest`` element, the first of equal ones."""
    offsets = math.prod(where.kernel)
    if out is None:
        out = (cp.empty_like(largest, dtype=np.uint8 if offsets < 256 else np.int32),)
    _CHOICE(x, largest, *_numbers(where), out[0])
    return out[0]


def window_sum(x: Any, choice: Any, where: Any, out: Any = None) -> Any:
    """Return the sum of every window: of all its elements, or of the chosen one."""
    if out is None:
        out = (cp.empty_like(x, shape=_windows_of(x, where)),)
    chosen = _no_choice(out[0].shape) if choice is None else choice
    _SUM(x, chosen, choice is None, *_numbers(where), out[0])
    return out[0]


def window_spread(x: Any, choice: Any, where: Any, out: Any = None) -> Any:
    """Return an array to whose elements each window's number is added: all, or the chosen one."""
    if out is None:
        shape = (*x.shape[: x.ndim - len(where.size)], *where.size)
        out = (cp.empty_like(x, shape=shape),)
    chosen = _no_choice(x.shape) if choice is None else choice
    _SPREAD(x, chosen, choice is None, *_numbers(where), out[0])
    return out[0]
