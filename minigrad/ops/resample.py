"""Images of another size, and images as columns of patches.

To resample along an axis is a linear map with few entries: every output is a weighted sum of a few
inputs, its `Taps`. Nearest, linear and area interpolation differ in their taps only. The transposed
map has taps again, so that one op, `resample`, is its own derivative. `unfold` and `fold` are each
other's transpose.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import composite, op
from minigrad.ops.kernels import wide
from minigrad.ops.refuse import refuse
from minigrad.ops.shape import permute
from minigrad.ops.windows import Spatial, place, spatial

__all__ = ["fold", "interpolate", "pixel_shuffle", "pixel_unshuffle", "unfold"]

Scale = float | Sequence[float]


# ---- along one axis -----------------------------------------------------------------------------


class Taps:
    """What each output along an axis is made of: ``y[o] = sum of weight[k, o] x[index[k, o]]``.

    The sum is over k, ``size`` is the length of x.
    """

    def __init__(self, index: Any, weight: Any, size: int) -> None:
        self.index, self.weight, self.size = index, weight, size
        self.plain = bool((weight == 1).all())  # no need to multiply

    @functools.cached_property
    def transposed(self) -> Taps:
        """The taps of the transposed map: what each input gives its gradient from."""
        taps, outputs = np.nonzero(self.weight)
        inputs = self.index[taps, outputs]
        order = np.argsort(inputs, kind="stable")
        inputs, outputs, weights = inputs[order], outputs[order], self.weight[taps, outputs][order]
        start = np.searchsorted(inputs, np.arange(self.size + 1))
        count = np.diff(start)
        place_among = np.arange(len(inputs)) - start[inputs]
        shape = (max(1, int(count.max(initial=0))), self.size)
        index, weight = np.zeros(shape, np.int64), np.zeros(shape)
        index[:] = outputs[np.minimum(start[:-1], len(outputs) - 1)]  # for the taps left over
        index[place_among, inputs], weight[place_among, inputs] = outputs, weights
        return Taps(index, weight, self.weight.shape[1])

    def __repr__(self) -> str:
        return f"<taps {self.size} -> {self.weight.shape[1]}>"


@functools.lru_cache(maxsize=256)
def nearest(size: int, out: int, scale: float | None = None, exact: bool = False) -> Taps:
    """Return the taps of nearest-neighbour interpolation from ``size`` to ``out``.

    Output o takes the input that holds the left end of its interval, or its centre if ``exact``.
    Positions are computed in float32 as in PyTorch, since a rounding decides between neighbours;
    and as there, one and two times the size ignore a scale that is not quite 1 or 2.
    """
    steps = np.arange(out)
    if out in (size, 2 * size) and not exact:
        index = steps // (out // size)
    else:
        step = np.float32(1 / scale if scale else np.float32(size) / np.float32(out))
        position = (steps.astype(np.float32) + np.float32(0.5 if exact else 0)) * step
        index = np.minimum(position.astype(np.int64), size - 1)
    return Taps(index[None], np.ones((1, out)), size)


@functools.lru_cache(maxsize=256)
def linear(size: int, out: int, scale: float | None = None, align_corners: bool = False) -> Taps:
    """Return the taps of linear interpolation from ``size`` to ``out``.

    The centres of first and last elements are matched (``align_corners``), or the outer edges. As
    in PyTorch, the same size is a copy, whatever the scale.
    """
    if out == size:
        position = np.arange(out, dtype=float)
    elif align_corners:
        position = np.arange(out) * ((size - 1) / (out - 1) if out > 1 else 0.0)
    else:
        step = 1 / scale if scale else size / out
        position = np.maximum((np.arange(out) + 0.5) * step - 0.5, 0)
    left = np.minimum(position.astype(np.int64), size - 1)
    share = np.minimum(position - left, 1)
    right = np.minimum(left + 1, size - 1)
    return Taps(np.stack([left, right]), np.stack([1 - share, share]), size)


@functools.lru_cache(maxsize=256)
def averages(size: int, out: int) -> Taps:
    """Return the taps of the means over ``out`` parts of ``size`` elements, as equal as may be.

    Part o reaches from ``floor(o size / out)`` to ``ceil((o + 1) size / out)``.
    """
    o = np.arange(out)
    first, last = o * size // out, -(-(o + 1) * size // out)
    steps = np.arange((last - first).max())[:, None]
    weight = (steps < last - first) / (last - first)
    return Taps(np.minimum(first + steps, last - 1), weight, size)


def _dense(taps: Taps) -> Any:
    """Return the taps as a matrix (out, size)."""
    matrix = np.zeros((taps.weight.shape[1], taps.size))
    for index, weight in zip(taps.index, taps.weight, strict=True):
        for o, (i, w) in enumerate(zip(index, weight, strict=True)):
            matrix[o, i] += w
    return matrix


@op(
    x=lambda g, taps, dim: resample(g, taps.transposed, dim),
    facts=Facts(
        lambda x, taps, dim: np.moveaxis(
            np.tensordot(_dense(taps), x, axes=(1, dim)), 0, dim if dim >= 0 else x.ndim + dim
        ),
        [
            S((2, 3, 5), taps=nearest(5, 8), dim=-1),
            S((2, 5, 3), taps=nearest(5, 2), dim=1),
            S((4,), taps=linear(4, 7), dim=0),
            S((2, 6, 2), taps=linear(6, 3, None, True), dim=-2),
            S((7, 2), taps=averages(7, 3), dim=0),
            S((0, 4), taps=averages(4, 6), dim=1),
        ],
        analytic=True,
        torch="",
    ),
)
def resample(xp: Backend, x: Array, taps: Taps, dim: int) -> Array:
    """Apply the linear map that ``taps`` describe along one axis.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.resample import linear, resample
    >>> resample(mg.tensor([0.0, 10.0]), linear(2, 4), 0)
    tensor([ 0. ,  2.5,  7.5, 10. ])
    """
    if x.dtype.kind not in "fc" and not taps.plain:
        raise TypeError(f"means of neighbours need floats, x is {x.dtype}; convert with .float()")
    dtype, x, index = x.dtype, wide(x), xp.asarray(taps.index)
    behind = (1,) * (x.ndim - 1 - dim % x.ndim)
    parts = (xp.take(x, row, axis=dim) for row in index)
    if not taps.plain:
        weights = xp.asarray(taps.weight.reshape(len(taps.weight), -1, *behind), dtype=x.dtype)
        parts = (part * weight for part, weight in zip(parts, weights, strict=True))
    y = next(parts)
    for part in parts:
        y += part
    return y.astype(dtype, copy=False)


# ---- interpolation ------------------------------------------------------------------------------

_MODES = {"nearest": None, "nearest-exact": None, "area": None, "linear": 3, "bilinear": 4}


def _taps(
    x: Any, size: Any, scale_factor: Any, mode: str, align_corners: bool | None
) -> list[Taps]:
    """Return the taps for each spatial axis, or raise `ValueError`."""
    if mode not in _MODES:
        raise ValueError(f"mode must be one of {', '.join(_MODES)}, not {mode!r}")
    rank = len(x.shape) - 2
    if rank not in (1, 2) or len(x.shape) != (_MODES[mode] or len(x.shape)):
        wanted = {3: "(N, C, L)", 4: "(N, C, H, W)", None: "(N, C, L) or (N, C, H, W)"}
        raise ValueError(f"x has shape {list(x.shape)}, mode {mode!r} needs {wanted[_MODES[mode]]}")
    if align_corners is not None and "linear" not in mode:
        raise ValueError(f"align_corners goes with linear and bilinear only, not with {mode!r}")
    if (size is None) == (scale_factor is None):
        raise ValueError("give either size or scale_factor")
    before = x.shape[2:]
    scales: list[float | None] = [None] * rank
    if size is not None:
        after = spatial("size", size, rank, 1)
        if isinstance(size, Sequence) and len(size) != rank:
            raise ValueError(f"size {tuple(size)} has {len(size)} numbers for {rank} axes")
    else:
        several = isinstance(scale_factor, Sequence)
        given = tuple(scale_factor) if several else (scale_factor,) * rank
        if len(given) != rank or not all(f > 0 for f in given):
            raise ValueError(f"scale_factor must be positive, one or {rank}, not {scale_factor!r}")
        scales = [float(f) for f in given]
        after = tuple(math.floor(n * float(f)) for n, f in zip(before, given, strict=True))
    if min(*before, *after) < 1:
        raise ValueError(f"images of {list(before)} cannot be brought to {list(after)}: both need "
                         "at least one element along each axis")  # fmt: skip
    axes = zip(before, after, scales, strict=True)
    if mode == "area":
        return [averages(n, out) for n, out, _ in axes]
    if "linear" in mode:
        return [linear(n, out, scale, bool(align_corners)) for n, out, scale in axes]
    return [nearest(n, out, scale, mode == "nearest-exact") for n, out, scale in axes]


def _naive_interpolate(x: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
                       align_corners: bool | None = None) -> Any:  # fmt: skip
    """Read off every output at its position, one axis at a time."""
    for axis in range(2, x.ndim):
        n = x.shape[axis]
        factor = scale_factor[axis - 2] if isinstance(scale_factor, tuple) else scale_factor
        out = (size[axis - 2] if isinstance(size, tuple) else size) or math.floor(n * factor)
        step = 1 / factor if factor else n / out
        parts = []
        for o in range(out):
            if mode == "area":
                part = x.take(range(o * n // out, -(-(o + 1) * n // out)), axis).mean(axis)
            elif mode != "nearest-exact" and out == n:  # whatever the factor, as in torch
                part = x.take(o, axis)
            elif mode == "nearest" and out == 2 * n:
                part = x.take(o // 2, axis)
            elif "linear" in mode:
                at = o * (n - 1) / max(out - 1, 1) if align_corners else (o + 0.5) * step - 0.5
                at = min(max(at, 0), n - 1)
                left, right = math.floor(at), math.ceil(at)
                part = (left + 1 - at) * x.take(left, axis) + (at - left) * x.take(right, axis)
            else:
                at = o + 0.5 if mode == "nearest-exact" else o
                part = x.take(min(int(at * step), n - 1), axis)
            parts.append(part)
        x = np.stack(parts, axis)
    return x


@composite(
    facts=Facts(
        _naive_interpolate,
        [
            S((2, 3, 4, 5), scale_factor=2),
            S((1, 2, 4, 5), size=(7, 3)),
            S((1, 2, 4, 6), scale_factor=(1.5, 0.5)),
            S((2, 3, 5), size=8),
            S((1, 2, 5, 4), size=(3, 9), mode="nearest-exact"),
            S((2, 3, 4, 5), scale_factor=2, mode="bilinear"),
            S((2, 3, 4, 5), size=(7, 3), mode="bilinear"),
            S((2, 3, 4, 5), size=(7, 3), mode="bilinear", align_corners=True),
            S((1, 2, 4, 6), scale_factor=(1.3, 0.5), mode="bilinear", align_corners=False),
            S((1, 2, 3, 3), size=1, mode="bilinear", align_corners=True),
            S((1, 2, 1, 3), size=(4, 6), mode="bilinear"),
            S((2, 3, 5), size=8, mode="linear"),
            S((1, 2, 7, 5), size=(3, 7), mode="area"),
            S((0, 2, 4, 4), scale_factor=2),
        ],
        analytic=True,
        torch="nn.functional.interpolate",
    )
)
def interpolate(
    x: Array,
    size: Spatial | None = None,
    scale_factor: Scale | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Array:
    """Bring images ``(N, C, H, W)`` or sequences ``(N, C, L)`` to another size.

    Parameters
    ----------
    x : Tensor
        The images.
    size : int or ints, optional
        The size to reach.
    scale_factor : float or floats, optional
        Or the factor; the size is rounded down.
    mode : str
        "nearest" (the element at the left end of an output's interval), "nearest-exact" (at its
        centre), "linear" (sequences) and "bilinear" (images) between neighbours, "area" (mean).
    align_corners : bool, optional
        For the linear modes: match the centres of the corner elements instead of the outer edges.

    Raises
    ------
    ValueError
        Both or none of size and scale_factor are given, or mode and shape do not go together.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([[[0.0, 10.0]]])
    >>> mg.interpolate(x, scale_factor=2)
    tensor([[[ 0.,  0., 10., 10.]]])
    >>> mg.interpolate(x, size=4, mode="linear")
    tensor([[[ 0. ,  2.5,  7.5, 10. ]]])
    """
    try:
        taps = _taps(x, size, scale_factor, mode, align_corners)
    except ValueError as error:
        raise refuse("interpolate", error, x) from None
    for axis, t in enumerate(taps):
        x = resample(x, t, axis - len(taps))
    return x


# ---- patches as columns -------------------------------------------------------------------------


def _naive_unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
                  stride: Any = 1) -> Any:  # fmt: skip
    where = place(x.shape[-2:], kernel_size, stride, padding, dilation)
    (ph, pw), (dh, dw), (sh, sw) = where.padding, where.dilation, where.stride
    x = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(ph, ph), (pw, pw)])
    height, width = where.span
    columns = [
        x[..., i * sh : i * sh + height : dh, j * sw : j * sw + width : dw]
        for i in range(where.counts[0])
        for j in range(where.counts[1])
    ]
    return np.stack([c.reshape(*x.shape[:-3], -1) if x.size else
                     np.zeros((*x.shape[:-3], x.shape[-3] * math.prod(where.kernel)))
                     for c in columns], axis=-1)  # fmt: skip


def _naive_fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
                stride: Any = 1) -> Any:  # fmt: skip
    """Add up the columns where `_naive_unfold` of an image of positions says they came from."""
    height, width = output_size if isinstance(output_size, tuple) else (output_size,) * 2
    positions = np.arange(1, height * width + 1).reshape(1, height, width)
    where = _naive_unfold(positions, kernel_size, dilation, padding, stride)  # 0: from the padding
    channels = x.shape[-2] // len(where)
    y = np.zeros((*x.shape[:-2], channels, height * width + 1))
    for c in range(channels):
        for row, column in np.ndindex(where.shape):
            y[..., c, where[row, column]] += x[..., c * len(where) + row, column]
    return y[..., 1:].reshape(*x.shape[:-2], channels, height, width)


@op(
    x=lambda g, kernel_size, dilation, padding, stride, x_shape: fold(
        g, x_shape[-2:], kernel_size, dilation, padding, stride
    ),
    facts=Facts(
        _naive_unfold,
        [
            S((2, 3, 4, 5), kernel_size=2),
            S((2, 2, 5, 6), kernel_size=(3, 2), stride=2, padding=1),
            S((1, 2, 6, 7), kernel_size=2, dilation=(2, 3), padding=(0, 1), stride=(3, 1)),
            S((2, 3, 3), kernel_size=3),
            S((0, 2, 4, 4), kernel_size=2),
        ],
        analytic=True,
        torch="nn.functional.unfold",
    ),
)
def unfold(
    xp: Backend,
    x: Array,
    kernel_size: Spatial,
    dilation: Spatial = 1,
    padding: Spatial = 0,
    stride: Spatial = 1,
) -> Array:
    """Take images apart into patches, one a column: ``(N, C, H, W) -> (N, C kh kw, L)``.

    L is the number of windows, as of a convolution with these options; one image may come without
    its N axis. This is convolution's im2col: ``weight.reshape(O, -1) @ unfold(x)``.

    Raises
    ------
    ValueError
        x has no image axes, a window is larger than the padded image, or an option is out of range.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.unfold(mg.tensor([[[1.0, 2.0, 3.0]]]), (1, 2))
    tensor([[1., 2.],
            [2., 3.]])
    """
    if x.ndim not in (3, 4):
        raise ValueError(f"x has shape {list(x.shape)}; it must be (N, C, H, W) or (C, H, W)")
    if 0 in x.shape[-2:]:  # padding alone has no way back
        raise ValueError(f"x has shape {list(x.shape)}: images must have at least one element")
    where = place(x.shape[-2:], kernel_size, stride, padding, dilation)
    offsets, windows = math.prod(where.kernel), math.prod(where.counts)
    patches = xp.zeros((*x.shape[:-2], offsets, *where.counts), x.dtype)
    for k, (out, into) in enumerate(where.pairs()):
        patches[(..., k, *out)] = x[(..., *into)]
    return patches.reshape((*x.shape[:-3], x.shape[-3] * offsets, windows))


@op(
    x=lambda g, output_size, kernel_size, dilation, padding, stride: unfold(
        g, kernel_size, dilation, padding, stride
    ),
    facts=Facts(
        _naive_fold,
        [
            S((2, 12, 12), output_size=(4, 5), kernel_size=2),
            S((2, 12, 12), output_size=(5, 6), kernel_size=(3, 2), stride=2, padding=1),
            S((1, 8, 12), output_size=(6, 7), kernel_size=2, dilation=(2, 3), padding=(0, 1),
              stride=(3, 1)),
            S((27, 1), output_size=3, kernel_size=3),
            S((0, 8, 9), output_size=(4, 4), kernel_size=2),
        ],
        analytic=True,
        torch="nn.functional.fold",
    ),
)  # fmt: skip
def fold(
    xp: Backend,
    x: Array,
    output_size: Spatial,
    kernel_size: Spatial,
    dilation: Spatial = 1,
    padding: Spatial = 0,
    stride: Spatial = 1,
) -> Array:
    """Add patches, one a column, up to images: ``(N, C kh kw, L) -> (N, C, H, W)``.

    The transpose of `unfold`, not its inverse: where patches overlap, they are added.

    Raises
    ------
    ValueError
        The columns are no patches of an image of this size.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.fold(mg.tensor([[1.0, 2.0], [2.0, 3.0]]), (1, 3), (1, 2))
    tensor([[[1., 4., 3.]]])
    """
    if x.ndim not in (2, 3):
        raise ValueError(f"x has shape {list(x.shape)}; it must be (N, C kh kw, L) or (C kh kw, L)")
    size = spatial("output_size", output_size, 2, 1)
    where = place(size, kernel_size, stride, padding, dilation)
    offsets, windows = math.prod(where.kernel), math.prod(where.counts)
    if x.shape[-2] % offsets:
        raise ValueError(
            f"x has {x.shape[-2]} rows, which must be a multiple of the {offsets} elements of a "
            f"{'x'.join(map(str, where.kernel))} patch"
        )
    if x.shape[-1] != windows:
        counts = " x ".join(map(str, where.counts))
        raise ValueError(
            f"x has {x.shape[-1]} columns, but an image of {list(size)} has {counts} = {windows} "
            "such patches"
        )
    lead, channels = x.shape[:-2], x.shape[-2] // offsets
    patches = x.reshape((*lead, channels, offsets, *where.counts))
    image = xp.zeros((*lead, channels, *size), wide(patches).dtype)
    for k, (out, into) in enumerate(where.pairs()):
        image[(..., *into)] += patches[(..., k, *out)]
    return image.astype(x.dtype, copy=False)


# ---- channels into pixels -----------------------------------------------------------------------


def _naive_shuffle(x: Any, upscale_factor: int) -> Any:
    r = upscale_factor
    *lead, channels, height, width = x.shape
    y = np.zeros((*lead, channels // r**2, height * r, width * r))
    for c, i, j in np.ndindex(y.shape[-3:]):
        y[..., c, i, j] = x[..., c * r**2 + i % r * r + j % r, i // r, j // r]
    return y


@composite(
    facts=Facts(
        _naive_shuffle,
        [
            S((2, 8, 2, 3), upscale_factor=2),
            S((9, 1, 2), upscale_factor=3),
            S((2, 3, 2, 2), upscale_factor=1),
            S((0, 4, 2, 2), upscale_factor=2),
        ],
        analytic=True,
    )
)
def pixel_shuffle(x: Array, upscale_factor: int) -> Array:
    """Turn groups of r^2 channels into r x r pixels: ``(..., C r^2, H, W) -> (..., C, H r, W r)``.

    Raises
    ------
    ValueError
        The channels are no multiple of r^2.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.pixel_shuffle(mg.tensor([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]), 2)
    tensor([[[1., 2.],
             [3., 4.]]])
    """
    (r,) = spatial("upscale_factor", upscale_factor, 1, 1)
    if len(x.shape) < 3 or x.shape[-3] % r**2:
        raise refuse("pixel_shuffle", f"the channels (axis -3) must be a multiple of {r**2}", x)
    *lead, channels, height, width = x.shape
    n = len(lead)
    y = x.reshape((*lead, channels // r**2, r, r, height, width))
    y = permute(y, (*range(n + 1), n + 3, n + 1, n + 4, n + 2))
    return y.reshape((*lead, channels // r**2, height * r, width * r))


def _naive_unshuffle(x: Any, downscale_factor: int) -> Any:
    r = downscale_factor
    rows = [x[..., i::r, j::r] for i in range(r) for j in range(r)]
    y = np.stack(rows, axis=-3)
    return y.reshape(*x.shape[:-3], x.shape[-3] * r**2, *y.shape[-2:])


@composite(
    facts=Facts(
        _naive_unshuffle,
        [
            S((2, 2, 4, 6), downscale_factor=2),
            S((1, 3, 6), downscale_factor=3),
        ],
        analytic=True,
    )
)
def pixel_unshuffle(x: Array, downscale_factor: int) -> Array:
    """Turn r x r pixels into channels: ``(..., C, H r, W r) -> (..., C r^2, H, W)``.

    The inverse of `pixel_shuffle`.

    Raises
    ------
    ValueError
        Height or width is no multiple of r.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.pixel_unshuffle(mg.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2).shape
    (4, 1, 1)
    """
    (r,) = spatial("downscale_factor", downscale_factor, 1, 1)
    if len(x.shape) < 3 or x.shape[-2] % r or x.shape[-1] % r:
        raise refuse("pixel_unshuffle", f"the last two axes must be multiples of {r}", x)
    *lead, channels, height, width = x.shape
    n = len(lead)
    y = x.reshape((*lead, channels, height // r, r, width // r, r))
    y = permute(y, (*range(n + 1), n + 2, n + 4, n + 1, n + 3))
    return y.reshape((*lead, channels * r**2, height // r, width // r))
