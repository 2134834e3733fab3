"""Pooling: the maximum or the mean of every window.

The maximum chooses one element of each window, and its gradient goes back to that element. So it is
built of two linear ops that are each other's transpose: `window_sum` adds up the windows' elements
(all, or the chosen ones), `window_spread` adds every window's number to its elements (all, or the
chosen one). They are each other's derivative, whence derivatives of any order. The mean is the sum
of all, divided.

All loops run over the few offsets in a window, never over the windows (`minigrad.ops.windows`). The
ops work on the last axes of an array, in whatever order its memory lies.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, backend_of
from minigrad.engine.facts import Facts, S, at, distinct, integers
from minigrad.engine.op import composite, op
from minigrad.engine.recording import filled_by
from minigrad.engine.tensor import Tensor
from minigrad.ops.gpu import by_windows
from minigrad.ops.kernels import wide
from minigrad.ops.reduce import mean
from minigrad.ops.refuse import refuse
from minigrad.ops.resample import averages, resample
from minigrad.ops.windows import Spatial, Windows, images_at_once, place, spatial

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "avg_pool1d", "avg_pool2d", "max_pool1d",
    "max_pool2d",
]  # fmt: skip

IndexArray = Any  # an array of ints: never cast, without a gradient

_SAMPLE = Windows((5, 6), (3, 2), (2, 1), (1, 0), (1, 2), (3, 4))  # padded, overlapping, dilated
_FLAT = _SAMPLE._replace(dilation=(1, 1), counts=(3, 6))
_IMAGE = np.sin(np.arange(60.0)).reshape(2, 5, 6).round(1)  # with equal elements
_APART = Windows((4, 6), (2, 2), (2, 3), (0, 0), (1, 1), (2, 2))  # windows that share nothing
_THREE = place((3,), 3, 1, 0, 1)


# ---- the definition, which the kernels are held to ----------------------------------------------


def _windows(x: Any, where: Windows) -> Iterator[tuple[Any, list[Any], list[Any]]]:
    """Yield each window: its place, the elements in it, and the number of each in the kernel."""
    for out in itertools.product(*map(range, where.counts)):
        elements: list[Any] = []
        numbers: list[Any] = []
        for number, offset in enumerate(itertools.product(*map(range, where.kernel))):
            at = tuple(
                o * s - p + k * d
                for o, k, s, p, d in zip(
                    out, offset, where.stride, where.padding, where.dilation, strict=True
                )
            )
            if all(0 <= a < n for a, n in zip(at, where.size, strict=True)):
                elements.append((..., *at))
                numbers.append(number)
        yield out, elements, numbers


def _naive(function: Any, x: Any, where: Windows) -> Any:
    """Return ``function`` of the elements of each window, stacked along the first axis."""
    y = np.zeros((*x.shape[: -len(where.size)], *where.counts), x.dtype)
    for out, elements, _ in _windows(x, where):
        y[(..., *out)] = function(np.stack([x[e] for e in elements]), axis=0)
    return y


def _naive_choice(x: Any, largest: Any, where: Windows) -> Any:
    choice = np.zeros(largest.shape, np.uint8)
    for out, elements, numbers in _windows(x, where):
        first = np.argmax(np.stack([x[e] for e in elements]), axis=0)
        choice[(..., *out)] = np.array(numbers)[first]
    return choice


def _naive_sum(x: Any, choice: Any, where: Windows) -> Any:
    y = np.zeros((*x.shape[: -len(where.size)], *where.counts), x.dtype)
    for out, elements, numbers in _windows(x, where):
        for e, number in zip(elements, numbers, strict=True):
            y[(..., *out)] += x[e] * (1 if choice is None else choice[(..., *out)] == number)
    return y


def _naive_spread(x: Any, choice: Any, where: Windows) -> Any:
    y = np.zeros((*x.shape[: -len(where.size)], *where.size), x.dtype)
    for out, elements, numbers in _windows(y, where):
        for e, number in zip(elements, numbers, strict=True):
            y[e] += x[(..., *out)] * (1 if choice is None else choice[(..., *out)] == number)
    return y


# ---- windows: maximum, sum, spread -------------------------------------------------------------


_TILE = 1 << 18  # elements of some images that are worked on together: 1 MB in float32


def _tiles(x: Any, where: Windows) -> Iterator[Any]:
    """Cut the first axis into slices of about `_TILE` elements, which stay in the cache."""
    if x.ndim == len(where.size):
        yield ...
        return
    step = images_at_once(_TILE * len(x) / max(1, x.size))
    for start in range(0, len(x), step):
        yield slice(start, start + step)


def _largest(xp: Backend, x: Array, where: Windows) -> Array:
    """Return the largest element of every window: one pass for each offset."""
    y = xp.empty_like(x, shape=(*x.shape[: x.ndim - len(where.size)], *where.counts))
    pairs = [((..., *out), (..., *into)) for out, into in where.pairs()]
    whole = [k for k, (out, _) in enumerate(pairs) if y[out].shape == y.shape]
    if len(whole) > 1:  # two offsets that all windows have begin
        second, first = (x[pairs.pop(k)[1]] for k in (whole[1], whole[0]))
        xp.maximum(first, second, out=y)
    else:
        y[...] = -xp.inf if x.dtype.kind == "f" else xp.iinfo(x.dtype).min
    for out, into in pairs:
        part = y[out]
        xp.maximum(part, x[into], out=part)
    return y


def _spread_largest(gx: Array, g: Array, x: Array, y: Array, where: Windows) -> None:
    """Write the gradient of a maximum of numbers into gx, in fewer passes than by the choice."""
    xp = backend_of(g)
    last = math.prod(where.kernel) - 1

    def spread(tile: Any) -> None:
        tx, ty, tg, tgx = x[tile], y[tile], g[tile], gx[tile]
        if ty.size and xp.isnan(ty.max()):
            tgx[...] = window_spread(tg, window_choice(tx, ty, where), where)
            return
        if tg.strides != ty.strides:  # as after flatten: then it lies in another order
            alike = xp.empty_like(ty)
            alike[...] = tg
            tg = alike
        if not where.covering:
            tgx[...] = 0
        free = xp.ones_like(ty, dtype=bool)  # windows whose largest element is still to come
        for k, (out, into) in enumerate(where.pairs()):
            out, into = (..., *out), (..., *into)
            hit = free[out]
            if k < last:
                left, hit = hit, tx[into] == ty[out]
                hit &= left
                left ^= hit
            if where.overlapping:
                tgx[into] += tg[out] * hit
            else:
                xp.multiply(tg[out], hit, out=tgx[into])

    xp.each([*_tiles(x, where)], spread)


@filled_by(
    _spread_largest,
    by_rows=lambda g, x, y, where: len(x.shape) > len(where.size),
    picks=lambda g, x, y, where: not where.overlapping,
)
def _window_max_x(g: Any, x: Any, y: Any, where: Windows) -> Any:
    """Add each window's number to its first largest element: spread the choice."""
    xp = backend_of(g._array if isinstance(g, Tensor) else g)
    if isinstance(g, Tensor) or xp.kernels is not None:
        return window_spread(g, window_choice(x, y, where), where)
    gx = xp.empty_like(x)
    _spread_largest(gx, g, x, y, where)
    return gx


# Before, all images went through every step, and backward wrote the choices down: 64x32x32x32,
# channels last, windows 2x2, backward 6.6 -> 5.6 ms; 16x64x56x56, 3x3, forward 9.0 -> 4.3,
# backward 36 -> 20 ms.
@op(
    x=_window_max_x,
    facts=Facts(
        lambda x, where: _naive(np.max, x, where),
        [
            S(distinct((2, 5, 6)), where=_SAMPLE),
            S(distinct((4, 6)), where=_APART),
            S(distinct((4, 6)), where=place((4, 6), 2, 2, 0, 1)),
            at([3.0, 3.0, 3.0], where=_THREE, slopes=([1, 0, 0],)),
            at([1.0, 3.0, 3.0], where=_THREE, slopes=([0, 1, 0],)),
            at([5.0, math.nan, 7.0], where=_THREE, slopes=([0, 1, 0],)),
        ],
        convention="of equal largest elements the first in the window takes the gradient",
        torch="",
    ),
)
def window_max(xp: Backend, x: Array, where: Windows) -> Array:
    """Largest element of every window over the last axes; NaN is larger than any number.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.pool import window_max
    >>> from minigrad.ops.windows import place
    >>> window_max(mg.tensor([1.0, 5.0, 2.0, 0.0]), place([4], 2, 1, 0, 1))
    tensor([5., 5., 2.])
    """
    if by_windows(xp, x, where):
        return xp.kernels.window_max(x, where)
    y = xp.empty_like(x, shape=(*x.shape[: x.ndim - len(where.size)], *where.counts))

    def reduce(tile: Any) -> None:
        part = x[tile]
        if where.overlapping:  # the largest along one axis of the largest along the other
            for line in where.lines():
                part = _largest(xp, part, line)
        else:
            part = _largest(xp, part, where)
        y[tile] = part

    xp.each([*_tiles(x, where)], reduce)
    return y


@op(
    facts=Facts(
        _naive_choice,
        [
            S(lambda rng: _IMAGE, lambda rng: _naive(np.max, _IMAGE, _SAMPLE), where=_SAMPLE),
        ],
        order=0,
        torch="",
    )
)
def window_choice(xp: Backend, x: Array, largest: Array, where: Windows) -> Array:
    """Say which offset in its window holds the ``largest`` element, the first of equal ones.

    Offsets are counted along the window's rows; their number itself means that there is none.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.pool import window_choice
    >>> from minigrad.ops.windows import place
    >>> window_choice(mg.tensor([1.0, 5.0, 5.0]), mg.tensor([5.0, 5.0]), place([3], 2, 1, 0, 1))
    tensor([1, 0], dtype=uint8)
    """
    if by_windows(xp, x, where):
        return xp.kernels.window_choice(x, largest, where)
    offsets = math.prod(where.kernel)
    number = xp.uint8 if offsets < 256 else xp.int32
    choice = xp.full_like(largest, offsets, dtype=number)
    nan = largest != largest
    some = bool(nan.any())
    for k, (out, into) in enumerate(where.pairs()):
        out, elements = (..., *out), x[(..., *into)]
        smaller = elements < largest[out]
        if some:
            smaller |= nan[out] & (elements == elements)
        # k for a hit, the number of offsets for a miss, in arithmetic on bytes
        found = smaller * number(offsets - k) + number(k)
        xp.minimum(choice[out], found, out=choice[out])
    return choice


@op(
    x=lambda g, choice, where: window_spread(g, choice, where),
    facts=Facts(
        _naive_sum,
        [
            S((2, 5, 6), None, where=_SAMPLE),
            S((2, 5, 6), integers((2, 3, 4), 0, 6), where=_SAMPLE),
            S((4, 6), integers((2, 2), 0, 4), where=_APART),
            S((0, 4, 6), None, where=_APART),
        ],
        analytic=True,
        torch="",
    ),
)
def window_sum(xp: Backend, x: Array, choice: IndexArray | None, where: Windows) -> Array:
    """Sum every window over the last axes: all its elements, or the chosen one.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.pool import window_sum
    >>> from minigrad.ops.windows import place
    >>> window_sum(mg.tensor([1.0, 5.0, 2.0, 0.0]), None, place([4], 2, 1, 0, 1))
    tensor([6., 7., 2.])
    """
    if by_windows(xp, x, where):
        return xp.kernels.window_sum(x, choice, where)
    shape = (*x.shape[: x.ndim - len(where.size)], *where.counts)
    dtype, x = x.dtype, wide(x)
    y = xp.zeros_like(x, shape=shape)
    for k, (out, into) in enumerate(where.pairs()):
        out, elements = (..., *out), x[(..., *into)]
        y[out] += elements if choice is None else elements * (choice[out] == k)
    return y.astype(dtype, copy=False)


@op(
    x=lambda g, choice, where: window_sum(g, choice, where),
    facts=Facts(
        _naive_spread,
        [
            S((2, 3, 4), None, where=_SAMPLE),
            S((2, 3, 4), integers((2, 3, 4), 0, 6), where=_SAMPLE),
            S((2, 2), integers((2, 2), 0, 4), where=_APART),
            S((0, 2, 2), None, where=_APART),
        ],
        analytic=True,
        torch="",
    ),
)
def window_spread(xp: Backend, x: Array, choice: IndexArray | None, where: Windows) -> Array:
    """Add the number of every window to its elements, all or the chosen one.

    The transpose of `window_sum`.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.pool import window_spread
    >>> from minigrad.ops.windows import place
    >>> window_spread(mg.tensor([1.0, 10.0, 100.0]), None, place([4], 2, 1, 0, 1))
    tensor([  1.,  11., 110., 100.])
    """
    if by_windows(xp, x, where):
        return xp.kernels.window_spread(x, choice, where)
    shape = (*x.shape[: x.ndim - len(where.size)], *where.size)
    dtype, x = x.dtype, wide(x)
    y = xp.zeros_like(x, shape=shape)
    for k, (out, into) in enumerate(where.pairs()):
        out, elements = (..., *out), y[(..., *into)]
        chosen = True if choice is None else choice[out] == k
        if where.overlapping:
            elements += x[out] * chosen
        else:
            xp.multiply(x[out], chosen, out=elements)
    return y.astype(dtype, copy=False)


@op(
    facts=Facts(
        lambda choice, where: np.array(
            [
                [
                    (i * 2 - 1 + k // 2) * 6 + j + 2 * (k % 2)
                    for j, k in enumerate(row)
                ]
                for i, row in enumerate(choice)
            ]
        ),
        [S(lambda rng: np.array([[2, 3, 4, 5], [0, 1, 2, 3], [3, 2, 1, 0]]), where=_SAMPLE)],
        order=0,
        torch="",
    )
)  # fmt: skip
def window_index(xp: Backend, choice: IndexArray, where: Windows) -> Array:
    """Return the chosen elements' places in the flattened last axes of the array.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.pool import window_index
    >>> from minigrad.ops.windows import place
    >>> window_index(mg.tensor([1, 0, 0]), place([4], 2, 1, 0, 1))
    tensor([1, 1, 2])
    """
    rest = choice.astype(xp.int64)
    index, width = xp.zeros_like(rest), 1
    for axis in reversed(range(len(where.size))):
        offset, rest = rest % where.kernel[axis], rest // where.kernel[axis]
        first = xp.arange(where.counts[axis]) * where.stride[axis] - where.padding[axis]
        first = first.reshape((-1,) + (1,) * (len(where.size) - 1 - axis))
        index += (first + offset * where.dilation[axis]) * width
        width *= where.size[axis]
    return index


@op(
    x=lambda g, where, count_include_pad, divisor: window_divide(
        g, where, count_include_pad, divisor
    ),
    facts=Facts(
        lambda x, where, count_include_pad, divisor=None: (
            x / (divisor or _naive_sum(np.ones(where.size), None, where))
        ),
        [
            S((2, 3, 6), where=_FLAT, count_include_pad=False),
            S((2, 3, 6), where=_FLAT, count_include_pad=False, divisor=5),
        ],
        analytic=True,
        torch="",
    ),
)
def window_divide(
    xp: Backend, x: Array, where: Windows, count_include_pad: bool, divisor: int | None = None
) -> Array:
    """Divide the number of every window by how many elements it has, or by ``divisor``.

    Padding counts as well, or not. Ints are cut to ints, as in PyTorch.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.pool import window_divide
    >>> from minigrad.ops.windows import place
    >>> window_divide(mg.ones(3), place([4], 4, 1, 1, 1), False)
    tensor([0.3333333, 0.25     , 0.3333333])
    """
    if divisor is not None:
        return (x / divisor).astype(x.dtype, copy=False)
    counts = xp.ones((), x.dtype)
    for n, k, s, p, count in zip(
        where.size, where.kernel, where.stride, where.padding, where.counts, strict=True
    ):
        first = xp.arange(count) * s - p
        last = xp.minimum(first + k, n + p)  # a window over the padded end has less padding
        if not count_include_pad:
            first, last = xp.maximum(first, 0), xp.minimum(last, n)
        counts = counts[..., None] * (last - first).astype(x.dtype)
    return (x / counts).astype(x.dtype, copy=False)


# ---- pooling -----------------------------------------------------------------------------------


def _pooled(
    name: str, rank: int, x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool
) -> Windows:
    """Return the windows of a pooling, or raise `ValueError`."""
    try:
        if len(x.shape) not in (rank + 1, rank + 2):
            axes = "(N, C, H, W) or (C, H, W)" if rank == 2 else "(N, C, L) or (C, L)"
            raise ValueError(f"x has shape {list(x.shape)}, it must be {axes}")
        if 0 in x.shape[1:]:
            raise ValueError(f"x has shape {list(x.shape)}: only the batch may be empty")
        stride = kernel if stride is None else stride
        where = place(x.shape[-rank:], kernel, stride, padding, dilation, ceil)
        if any(2 * p > k for p, k in zip(where.padding, where.kernel, strict=True)):
            raise ValueError(
                f"padding {list(where.padding)} is more than half of the kernel "
                f"{list(where.kernel)}, so a window could hold nothing but padding: take less "
                "padding or a larger kernel"
            )
        return where
    except ValueError as error:
        raise refuse(name, error, x) from None


def _max_pool(x: Any, where: Windows, return_indices: bool) -> Any:
    y = window_max(x, where)
    return (y, window_index(window_choice(x, y, where), where)) if return_indices else y


def _avg_pool(x: Any, where: Windows, count_include_pad: bool, divisor: int | None) -> Any:
    if divisor == 0:
        raise refuse("avg_pool2d", "divisor_override is 0; leave it out for the window's size", x)
    return window_divide(window_sum(x, None, where), where, count_include_pad, divisor)


def _naive_max_pool(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
                    dilation: Any = 1, ceil_mode: bool = False, rank: int = 2) -> Any:  # fmt: skip
    stride = kernel_size if stride is None else stride
    where = place(x.shape[-rank:], kernel_size, stride, padding, dilation, ceil_mode)
    return _naive(np.max, x, where)


def _naive_avg_pool(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
                    ceil_mode: bool = False, count_include_pad: bool = True,
                    divisor_override: Any = None, rank: int = 2) -> Any:  # fmt: skip
    stride = kernel_size if stride is None else stride
    where = place(x.shape[-rank:], kernel_size, stride, padding, 1, ceil_mode)
    ones = np.ones(where.size)
    if count_include_pad:  # zeros around x count, but not what a last window reaches beyond them
        ends = [(p, p) for p in where.padding]
        x = np.pad(x, [(0, 0)] * (x.ndim - rank) + ends)
        ones = np.pad(ones, ends, constant_values=1)
        where = where._replace(size=ones.shape, padding=(0,) * rank)
    counts = _naive_sum(ones, None, where) if divisor_override is None else divisor_override
    return _naive_sum(x, None, where) / counts


@composite(
    facts=Facts(
        _naive_max_pool,
        [
            S(distinct((2, 3, 4, 6)), kernel_size=2),
            S(distinct((2, 2, 7, 6)), kernel_size=3, stride=2),
            S(distinct((1, 2, 5, 5)), kernel_size=3, stride=1, padding=1),
            S(distinct((1, 2, 7, 8)), kernel_size=(2, 3), stride=(3, 1), padding=(1, 0)),
            S(distinct((1, 2, 7, 7)), kernel_size=2, stride=1, dilation=3),
            S(distinct((1, 2, 7, 8)), kernel_size=3, stride=2, ceil_mode=True),
            S(distinct((1, 2, 5, 6)), kernel_size=2, stride=3, padding=1, ceil_mode=True),
            S(distinct((2, 3, 4)), kernel_size=(3, 4)),
            S(distinct((2, 3, 4)), kernel_size=1, stride=2),
            S((0, 2, 4, 4), kernel_size=2),
        ],
        convention="of equal largest elements the first in the window takes the gradient",
        torch="nn.functional.max_pool2d",
    )
)
def max_pool2d(
    x: Array,
    kernel_size: Spatial,
    stride: Spatial | None = None,
    padding: Spatial = 0,
    dilation: Spatial = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Largest element of every window: ``(N, C, H, W) -> (N, C, H', W')``, or without N.

    ``H' = floor((H + 2 padding - dilation (kernel - 1) - 1) / stride) + 1``. Of equal largest
    elements the first in the window (along its rows) takes the gradient. NaN counts as largest.

    Parameters
    ----------
    x : Tensor
        The images.
    kernel_size, stride, padding, dilation : int or two ints
        Size of a window, steps between windows (default: the kernel size), border that is never
        the largest (at most half a window), steps within a window.
    ceil_mode : bool
        Round H' up: a last window may reach over the border, if it starts before it.
    return_indices : bool
        Return the places of the largest elements in the flattened image as well.

    Raises
    ------
    ValueError
        A window is larger than the padded image, or an option is out of range.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.max_pool2d(mg.tensor([[[1.0, 2.0, 5.0, 6.0], [4.0, 3.0, 8.0, 7.0]]]), 2)
    tensor([[[4., 8.]]])
    """
    where = _pooled("max_pool2d", 2, x, kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool(x, where, return_indices)


@composite(
    facts=Facts(
        functools.partial(_naive_max_pool, rank=1),
        [
            S(distinct((2, 3, 6)), kernel_size=2),
            S(distinct((2, 3, 8)), kernel_size=3, stride=2, padding=1),
            S(distinct((3, 9)), kernel_size=2, stride=1, dilation=4),
            S(distinct((1, 2, 8)), kernel_size=3, stride=2, ceil_mode=True),
            S((0, 2, 4), kernel_size=2),
        ],
        convention="of equal largest elements the first in the window takes the gradient",
        torch="nn.functional.max_pool1d",
    )
)
def max_pool1d(
    x: Array,
    kernel_size: Spatial,
    stride: Spatial | None = None,
    padding: Spatial = 0,
    dilation: Spatial = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Largest element of every window: ``(N, C, L) -> (N, C, L')``, or without N; see `max_pool2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.max_pool1d(mg.tensor([[1.0, 2.0, 5.0, 4.0]]), 2, return_indices=True)
    (tensor([[2., 5.]]), tensor([[1, 2]]))
    """
    where = _pooled("max_pool1d", 1, x, kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool(x, where, return_indices)


@composite(
    facts=Facts(
        _naive_avg_pool,
        [
            S((2, 3, 4, 6), kernel_size=2),
            S((2, 2, 7, 6), kernel_size=3, stride=2),
            S((1, 2, 5, 5), kernel_size=3, stride=1, padding=1),
            S((1, 2, 5, 5), kernel_size=3, stride=1, padding=1, count_include_pad=False),
            S((1, 2, 7, 8), kernel_size=(2, 3), stride=(3, 1), padding=(1, 0)),
            S((1, 2, 7, 8), kernel_size=3, stride=2, ceil_mode=True),
            S((1, 2, 6, 8), kernel_size=3, stride=2, padding=1, ceil_mode=True),
            S((1, 2, 6, 8), kernel_size=3, stride=2, padding=1, ceil_mode=True,
              count_include_pad=False),
            S((1, 2, 5, 5), kernel_size=3, padding=1, divisor_override=2),
            S((2, 3, 4), kernel_size=(3, 4)),
            S((0, 2, 4, 4), kernel_size=2),
        ],
        analytic=True,
        torch="nn.functional.avg_pool2d",
    )
)  # fmt: skip
def avg_pool2d(
    x: Array,
    kernel_size: Spatial,
    stride: Spatial | None = None,
    padding: Spatial = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """Mean of every window: ``(N, C, H, W) -> (N, C, H', W')``, or without N.

    Parameters
    ----------
    x : Tensor
        The images.
    kernel_size, stride, padding : int or two ints
        As in `max_pool2d`; the padding is zeros.
    ceil_mode : bool
        Round H' up; what a last window reaches beyond the padding never counts.
    count_include_pad : bool
        Count the padding's zeros in the mean.
    divisor_override : int, optional
        Divide the sum by this instead of by the number of elements.

    Raises
    ------
    ValueError
        A window is larger than the padded image, or an option is out of range.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.avg_pool2d(mg.tensor([[[1.0, 2.0, 5.0, 6.0], [4.0, 3.0, 8.0, 7.0]]]), 2)
    tensor([[[2.5, 6.5]]])
    """
    where = _pooled("avg_pool2d", 2, x, kernel_size, stride, padding, 1, ceil_mode)
    return _avg_pool(x, where, count_include_pad, divisor_override)


@composite(
    facts=Facts(
        functools.partial(_naive_avg_pool, rank=1),
        [
            S((2, 3, 6), kernel_size=2),
            S((2, 3, 8), kernel_size=3, stride=2, padding=1, count_include_pad=False),
            S((3, 8), kernel_size=3, stride=2, padding=1, ceil_mode=True),
            S((0, 2, 4), kernel_size=2),
        ],
        analytic=True,
        torch="nn.functional.avg_pool1d",
    )
)
def avg_pool1d(
    x: Array,
    kernel_size: Spatial,
    stride: Spatial | None = None,
    padding: Spatial = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Mean of every window: ``(N, C, L) -> (N, C, L')``, or without N; see `avg_pool2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.avg_pool1d(mg.tensor([[1.0, 2.0, 5.0, 4.0]]), 2)
    tensor([[1.5, 4.5]])
    """
    where = _pooled("avg_pool1d", 1, x, kernel_size, stride, padding, 1, ceil_mode)
    return _avg_pool(x, where, count_include_pad, None)


def _adaptive(name: str, rank: int, x: Any, output_size: Any) -> Any:
    try:
        if len(x.shape) not in (rank + 1, rank + 2) or 0 in x.shape[1:]:
            axes = "(N, C, H, W) or (C, H, W)" if rank == 2 else "(N, C, L) or (C, L)"
            raise ValueError(f"x has shape {list(x.shape)}, it must be {axes}, and not empty in C")
        sizes = output_size if isinstance(output_size, Sequence) else (output_size,) * rank
        if len(sizes) == rank:  # None keeps an axis as it is
            sizes = [n if s is None else s for s, n in zip(sizes, x.shape[-rank:], strict=True)]
        sizes = spatial("output_size", sizes, rank, 1)
    except ValueError as error:
        raise refuse(name, error, x) from None
    for axis, size in zip(range(-rank, 0), sizes, strict=True):
        if size == 1:
            x = mean(x, dim=axis, keepdim=True)
        else:
            x = resample(x, averages(x.shape[axis], size), axis)
    return x


def _naive_adaptive(x: Any, output_size: Any, rank: int = 2) -> Any:
    sizes = output_size if isinstance(output_size, tuple) else (output_size,) * rank
    for axis, size in zip(range(-rank, 0), sizes, strict=True):
        n = x.shape[axis]
        size = n if size is None else size
        parts = [
            x.take(range(math.floor(o * n / size), math.ceil((o + 1) * n / size)), axis).mean(axis)
            for o in range(size)
        ]
        x = np.stack(parts, axis)
    return x


@composite(
    facts=Facts(
        _naive_adaptive,
        [
            S((2, 3, 4, 6), output_size=1),
            S((2, 3, 4, 6), output_size=2),
            S((1, 2, 7, 5), output_size=(3, 4)),
            S((1, 2, 3, 4), output_size=(5, None)),
            S((2, 5, 5), output_size=(1, 2)),
            S((0, 2, 4, 4), output_size=2),
        ],
        analytic=True,
        torch="nn.functional.adaptive_avg_pool2d",
    )
)
def adaptive_avg_pool2d(x: Array, output_size: Any) -> Array:
    """Mean over as many windows as asked for: ``(N, C, H, W) -> (N, C, *output_size)``.

    Along an axis of n elements window o of s reaches from ``floor(o n / s)`` to
    ``ceil((o + 1) n / s)``. The output size is an int or two; None keeps an axis.

    Raises
    ------
    ValueError
        x has no image axes, or the output size is no number of at least 1.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.adaptive_avg_pool2d(mg.tensor([[[1.0, 2.0, 6.0], [4.0, 3.0, 8.0]]]), (1, 2))
    tensor([[[2.5 , 4.75]]])
    """
    return _adaptive("adaptive_avg_pool2d", 2, x, output_size)


@composite(
    facts=Facts(
        functools.partial(_naive_adaptive, rank=1),
        [
            S((2, 3, 6), output_size=1),
            S((2, 3, 7), output_size=3),
            S((3, 4), output_size=6),
            S((0, 2, 4), output_size=2),
        ],
        analytic=True,
        torch="nn.functional.adaptive_avg_pool1d",
    )
)
def adaptive_avg_pool1d(x: Array, output_size: Any) -> Array:
    """Mean over as many windows as asked for: ``(N, C, L) -> (N, C, output_size)``.

    See `adaptive_avg_pool2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.adaptive_avg_pool1d(mg.tensor([[1.0, 2.0, 6.0, 8.0]]), 2)
    tensor([[1.5, 7. ]])
    """
    return _adaptive("adaptive_avg_pool1d", 1, x, output_size)
