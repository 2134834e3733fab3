"""Normalisation of each row by itself: `layer_norm`, `rms_norm`, and by groups `group_norm`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, backend_of
from minigrad.engine.errors import show_line, user_line
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import composite, fused
from minigrad.engine.structural import cast
from minigrad.ops.exponential import rsqrt
from minigrad.ops.gpu import Rows, normalised
from minigrad.ops.kernels import row_sums, wide
from minigrad.ops.reduce import mean

__all__ = ["group_norm", "layer_norm", "rms_norm"]


def _size(shape: int | Sequence[int]) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def _last_dims(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    return tuple(range(-len(_size(normalized_shape)), 0))


def affine(y: Any, weight: Any, bias: Any, dtype: Any) -> Any:
    """Scale and shift; the result has ``dtype``, whatever the parameters' dtype is."""
    y = y if weight is None else y * weight
    y = y if bias is None else y + bias
    return y if y.dtype == dtype else cast(y, dtype)


def _layer_norm(
    x: Any, weight: Any, bias: Any, normalized_shape: int | Sequence[int], eps: float = 1e-5
) -> Any:
    """Return ``(x - mean) / sqrt(var + eps) * weight + bias``: what `layer_norm` means."""
    dims = _last_dims(normalized_shape)
    rows = wide(x)
    d = rows - mean(rows, dims, keepdim=True)
    y = d * rsqrt(mean(d * d, dims, keepdim=True) + eps)
    return affine(y, weight, bias, x.dtype)


def _rms_norm(
    x: Any, weight: Any, normalized_shape: int | Sequence[int], eps: float | None = None
) -> Any:
    """Return ``x / sqrt(mean(x^2) + eps) * weight``: what `rms_norm` means."""
    dims = _last_dims(normalized_shape)
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    rows = wide(x)
    y = rows * rsqrt(mean(rows * rows, dims, keepdim=True) + eps)
    return affine(y, weight, None, x.dtype)


def _check_normalized(x: Any, size: tuple[int, ...], **operands: Any) -> None:
    if x.dtype.kind != "f":
        raise TypeError(f"x is {x.dtype}; it must be floating, convert it with .float()")
    if not size or x.shape[-len(size) :] != size:
        raise ValueError(
            f"normalized_shape is {list(size)}, the last axes of x ({list(x.shape)}) must be that; "
            f"for its last axis alone give {list(x.shape[-1:])}"
        )
    for name, array in operands.items():
        if array is not None and array.shape != size:
            raise ValueError(
                f"the {name} has shape {list(array.shape)}, normalized_shape is {list(size)}: "
                "they must be equal"
            )


def _normalise(
    xp: Any, x: Any, size: tuple[int, ...], eps: float, centre: bool
) -> tuple[Any, tuple[Any, Any, bool]]:
    """Return x normalised over its last axes, in x's shape; and that in rows, for the rules."""
    count = math.prod(size)
    rows = wide(x).reshape((x.size // max(count, 1), count))
    normal = rows - row_sums(xp, rows) / max(count, 1) if centre else rows.copy()
    square = xp.row_dots(normal, normal)
    square /= max(count, 1)
    square += eps
    rstd = xp.quietly(_scale_rows, xp, normal, square)  # NaN without a word, as in torch
    return normal.reshape(x.shape), (normal, rstd, centre)


def _scale_rows(xp: Any, normal: Any, square: Any) -> Any:
    """Divide the rows in place by the roots, and return their reciprocals."""
    rstd = (1 / xp.sqrt(square, out=square))[:, None]
    normal *= rstd
    return rstd


def _normalise_x(g: Any, weight: Any, aux: Any, x_shape: tuple[int, ...]) -> Any:
    """Return the gradient of x: g (times weight) without its parts along the mean and x itself."""
    if type(aux) is Rows:
        return aux.slope(g, weight).reshape(x_shape)
    normal, rstd, centre = aux
    xp, count = backend_of(g), max(normal.shape[1], 1)
    gx = (wide(g).copy() if weight is None else wide(g) * weight).reshape(normal.shape)
    along = xp.row_dots(gx, normal)[:, None]
    along /= count
    part = normal * along
    if centre:
        average = row_sums(xp, gx)
        average /= count
        part += average
    gx -= part
    gx *= rstd
    return gx.reshape(x_shape)


def _normalise_weight(g: Any, aux: Any, weight_shape: tuple[int, ...]) -> Any:
    if type(aux) is Rows:
        return aux.weight_slope(g).reshape(weight_shape)
    normal = aux[0]
    rows = wide(g).reshape(normal.shape)
    return backend_of(g).einsum("ij,ij->j", rows, normal).reshape(weight_shape)


def np_layer_norm(x: Any, weight: Any, bias: Any, normalized_shape: Any, eps: float = 1e-5) -> Any:
    dims = _last_dims(normalized_shape)
    centred = x - x.mean(axis=dims, keepdims=True)
    y = centred / np.sqrt(x.var(axis=dims, keepdims=True) + eps)
    return y * (1 if weight is None else weight) + (0 if bias is None else bias)


# Against its meaning, forward + backward: 2x at 32x64, 1.9x at 1024x128, 1.8x at 1024x384
@fused(
    _layer_norm,
    aux=True,
    x=_normalise_x,
    weight=_normalise_weight,
    bias=lambda g: g,
    facts=Facts(
        np_layer_norm,
        [
            S((3, 4), (4,), (4,), normalized_shape=(4,)),
            S((2, 3, 4), (4,), None, normalized_shape=4),
            S((2, 3, 4), (3, 4), (3, 4), normalized_shape=(3, 4), eps=1e-3),
            S((2, 5), None, None, normalized_shape=(5,)),
            S((2, 5), None, (5,), normalized_shape=(5,)),
            S((5,), (5,), (5,), normalized_shape=(5,), eps=0.1),
            S((0, 4), (4,), (4,), normalized_shape=(4,)),
            S((3, 1), (1,), (1,), normalized_shape=(1,)),
        ],
        torch="nn.functional.layer_norm",
        formula="(x - mean) / sqrt(var + eps) * weight + bias",
    ),
)
def layer_norm(
    xp: Backend,
    x: Array,
    normalized_shape: int | Sequence[int],
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> tuple[Array, Any]:
    """Normalise each row over its last axes to mean 0 and variance 1, then scale and shift.

    The variance is the mean of squares (biased). ``normalized_shape`` is the shape of the last
    axes, and that of weight and bias.

    Raises
    ------
    ValueError
        x, weight or bias do not end in ``normalized_shape``.

    References
    ----------
    J. L. Ba et al., "Layer Normalization", arXiv:1607.06450.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.layer_norm(mg.tensor([[1.0, 2.0, 3.0]]), (3,), eps=0.0)
    tensor([[-1.2247449,  0.       ,  1.2247449]])
    """
    size = _size(normalized_shape)
    _check_normalized(x, size, weight=weight, bias=bias)
    if xp.kernels is not None:
        return normalised(xp, x, math.prod(size), weight, bias, eps, centred=True)
    normal, aux = _normalise(xp, x, size, eps, centre=True)
    y = normal.copy() if weight is None else normal * weight
    if bias is not None:
        y += bias
    return y.astype(x.dtype, copy=False), aux


# Against its meaning, forward + backward: 1.8x at 32x64, 1.6x at 1024x128, 1.5x at 1024x384
@fused(
    _rms_norm,
    aux=True,
    x=_normalise_x,
    weight=_normalise_weight,
    facts=Facts(
        lambda x, weight, normalized_shape, eps=None: (
            x
            / np.sqrt(
                (x * x).mean(axis=_last_dims(normalized_shape), keepdims=True)
                + (np.finfo(x.dtype).eps if eps is None else eps)
            )
            * (1 if weight is None else weight)
        ),
        [
            S((3, 4), (4,), normalized_shape=(4,)),
            S((2, 3, 4), (3, 4), normalized_shape=(3, 4), eps=1e-3),
            S((2, 5), None, normalized_shape=5),
            S((0, 4), (4,), normalized_shape=(4,)),
        ],
        torch="nn.functional.rms_norm",
        formula="x / sqrt(mean(x^2) + eps) * weight",
    ),
)
def rms_norm(
    xp: Backend,
    x: Array,
    normalized_shape: int | Sequence[int],
    weight: Array | None = None,
    eps: float | None = None,
) -> tuple[Array, Any]:
    """Divide each row by its root mean square over the last axes, then scale.

    ``eps`` is the dtype's own resolution unless given.

    Raises
    ------
    ValueError
        x or weight do not end in ``normalized_shape``.

    References
    ----------
    B. Zhang and R. Sennrich, "Root Mean Square Layer Normalization", NeurIPS 2019.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.rms_norm(mg.tensor([[3.0, 4.0]]), (2,))
    tensor([[0.84852815, 1.1313709 ]])
    """
    size = _size(normalized_shape)
    _check_normalized(x, size, weight=weight)
    eps = float(xp.finfo(x.dtype).eps) if eps is None else eps
    if xp.kernels is not None:
        return normalised(xp, x, math.prod(size), weight, None, eps, centred=False)
    normal, aux = _normalise(xp, x, size, eps, centre=False)
    y = normal.copy() if weight is None else normal * weight
    return y.astype(x.dtype, copy=False), aux


def per_channel(v: Any, x: Any) -> Any:
    """Give a vector of one number per channel the axes to broadcast against ``(N, C, ...)``."""
    return v.reshape((-1,) + (1,) * (x.ndim - 2))


def channel_affine(y: Any, weight: Any, bias: Any, dtype: Any) -> Any:
    """Scale and shift each channel of ``(N, C, ...)``."""
    weight, bias = (None if v is None else per_channel(v, y) for v in (weight, bias))
    return affine(y, weight, bias, dtype)


def check_channels(name: str, x: Any, **vectors: Any) -> None:
    if x.dtype.kind != "f":
        raise TypeError(
            f"{name}: x is {x.dtype}; it must be floating: x.float()\n  at {show_line(user_line())}"
        )
    if x.ndim < 2:
        raise ValueError(
            f"{name}: x has shape {list(x.shape)}; it must be (N, C) or (N, C, L, ...)"
            f"\n  at {show_line(user_line())}"
        )
    for what, v in vectors.items():
        if v is not None and tuple(v.shape) != (x.shape[1],):
            raise ValueError(
                f"{name}: x has shape {list(x.shape)}, so {x.shape[1]} channels (axis 1), and "
                f"{what} has shape {list(v.shape)}; it must be [{x.shape[1]}]\n"
                f"  at {show_line(user_line())}"
            )


def np_group_norm(x: Any, weight: Any, bias: Any, num_groups: int, eps: float = 1e-5) -> Any:
    rows = x.reshape(x.shape[0], num_groups, math.prod(x.shape[1:]) // num_groups)
    y = np_layer_norm(rows, None, None, rows.shape[-1:], eps).reshape(x.shape)
    return y * (1 if weight is None else per_channel(weight, x)) + (
        0 if bias is None else per_channel(bias, x)
    )


@composite(
    facts=Facts(
        np_group_norm,
        [
            S((2, 6, 3), (6,), (6,), num_groups=2),
            S((2, 6), (6,), None, num_groups=3),
            S((2, 4, 2, 3), None, None, num_groups=4, eps=1e-3),
            S((2, 4, 2, 3), None, (4,), num_groups=1),
        ],
        torch="nn.functional.group_norm",
    )
)
def group_norm(
    x: Array,
    num_groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """Normalise groups of channels of each example together, then scale and shift each channel.

    x is ``(N, C, ...)``, weight and bias ``(C,)``; ``num_groups`` must divide C.

    Raises
    ------
    ValueError
        ``num_groups`` does not divide C, or weight or bias is not ``(C,)``.

    References
    ----------
    Y. Wu and K. He, "Group Normalization", ECCV 2018.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.group_norm(mg.tensor([[1.0, 3.0, 10.0, 30.0]]), 2, eps=0.0)
    tensor([[-1.,  1., -1.,  1.]])
    """
    check_channels("group_norm", x, weight=weight, bias=bias)
    if num_groups < 1 or x.shape[1] % num_groups:
        raise ValueError(
            f"group_norm: num_groups={num_groups} does not divide the {x.shape[1]} channels of x "
            f"({list(x.shape)}) evenly\n  at {show_line(user_line())}"
        )
    size = math.prod(x.shape[1:]) // num_groups
    y = layer_norm(x.reshape((x.shape[0], num_groups, size)), (size,), None, None, eps)
    y = y.reshape(tuple(x.shape))
    return channel_affine(y, weight, bias, x.dtype)
