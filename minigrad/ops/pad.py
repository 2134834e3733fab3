"""Padding: more entries at the ends of axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import composite, op
from minigrad.ops.dims import Shape, check_int, checked
from minigrad.ops.joining import cat
from minigrad.ops.refuse import refuse
from minigrad.ops.shape import expand, flip, part

__all__ = ["pad"]

Widths = tuple[tuple[int, int], ...]  # for each axis, the entries added before and after
MODES = ("constant", "reflect", "replicate", "circular")


def _inner(widths: Widths, shape: Shape) -> tuple[slice, ...]:
    """Return where the entries that stay lie in an array with ``shape`` and these borders."""
    return tuple(slice(max(a, 0), n - max(b, 0)) for (a, b), n in zip(widths, shape, strict=True))


def _opposite(widths: Widths) -> Widths:
    return tuple((-a, -b) for a, b in widths)


@op(
    x=lambda g, widths: _pad_constant(g, _opposite(widths)),
    facts=Facts(
        lambda x, widths, value=0.0: np.pad(x, widths, constant_values=value),
        [
            S((3,), widths=((1, 2),)),
            S((2, 3), widths=((0, 1), (2, 0)), value=1.5),
            S((0,), widths=((1, 1),)),
        ],
        torch="",
    ),
)
def _pad_constant(xp: Backend, x: Array, widths: Widths, value: float = 0.0) -> Array:
    """Add entries of one value at the ends of the axes; where a width is negative, cut entries off.

    Its transpose is the same with all widths' signs turned.
    """
    shape = tuple(a + n + b for (a, b), n in zip(widths, x.shape, strict=True))
    y = xp.full(shape, value, x.dtype)
    y[_inner(widths, shape)] = x[_inner(_opposite(widths), x.shape)]
    return y


def _read_pad(pad: Any, shape: Shape) -> Widths:
    """Return torch's flat list of widths, last axis first, as a pair for each axis."""
    if len(pad) % 2 or len(pad) > 2 * len(shape):
        raise ValueError(
            "widths come in pairs (before, after), from the last axis on, at most one pair an "
            f"axis, not {list(pad)}"
        )
    flat = [check_int(n, "a width") for n in pad]
    pairs = list(zip(flat[::2], flat[1::2], strict=True))
    widths = tuple((0, 0) for _ in range(len(shape) - len(pairs))) + tuple(reversed(pairs))
    if any(
        a + n + b < 0 or a + n < 0 or b + n < 0 for (a, b), n in zip(widths, shape, strict=True)
    ):
        raise ValueError(f"negative widths {list(pad)} cut off more than there is")
    return widths


_NUMPY_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _reference(x: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2) + list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    if mode != "constant":
        return np.pad(x, pairs, mode=_NUMPY_MODES[mode])  # type: ignore[call-overload]
    cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pairs, x.shape, strict=True))
    more = [(max(a, 0), max(b, 0)) for a, b in pairs]
    return np.pad(x[cut], more, constant_values=0 if value is None else value)


@composite(
    facts=Facts(
        _reference,
        [
            S((3,), pad=(1, 2)),
            S((2, 3), pad=(1, 0, 0, 2), value=-1.0),
            S((2, 3), pad=(-1, 2)),
            S((2, 3), pad=(1, 1, -1, 0)),
            S((2, 4), pad=(3, 2), mode="reflect"),
            S((1, 3, 4), pad=(1, 2, 2, 1), mode="reflect"),
            S((2, 3), pad=(4, 1), mode="replicate"),
            S((1, 2, 3), pad=(1, 0, 0, 2), mode="replicate"),
            S((2, 3), pad=(3, 2), mode="circular"),
            S((1, 2, 3), pad=(1, 1, 1, 0), mode="circular"),
        ],
        torch="nn.functional.pad",
    )
)
def pad(x: Array, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Array:
    """Add entries at the ends of axes.

    Parameters
    ----------
    x : Tensor
        Any shape.
    pad : sequence of int
        Pairs (before, after): the first is for the last axis, the second for the one before it,
        and so on. A negative width cuts entries off (mode "constant" only).
    mode : {"constant", "reflect", "replicate", "circular"}
        New entries are ``value``; the entries mirrored at the border one, which is not repeated;
        the border entry; the entries of the other end.
    value : float, optional
        For mode "constant"; default 0.

    Raises
    ------
    ValueError
        A mirrored border is not shorter than its axis, a circular one is longer, or widths are
        not pairs.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.pad(mg.tensor([1, 2, 3]), (1, 2))
    tensor([0, 1, 2, 3, 0, 0])
    >>> mg.pad(mg.tensor([1, 2, 3]), (1, 2), mode="reflect")
    tensor([2, 1, 2, 3, 2, 1])
    """
    if mode not in MODES:
        raise refuse("pad", f"mode must be one of {', '.join(MODES)}, not {mode!r}", x)
    shape = tuple(x.shape)
    widths = checked("pad", x, _read_pad, pad, shape)
    if mode == "constant":
        return _pad_constant(x, widths, 0 if value is None else value)
    if value is not None:
        raise refuse("pad", f"value={value} means nothing with mode {mode!r}; leave it out", x)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = _pad_axis(x, axis, before, after, mode)
    return x


def _pad_axis(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    """Return x joined along one axis with borders made of its own entries."""
    n = x.shape[axis]
    most = n - 1 if mode == "reflect" else n if mode == "circular" else before + after if n else 0
    if min(before, after) < 0 or max(before, after) > most:
        limit = "any number of" if mode == "replicate" and n else f"0 to {max(most, 0)}"
        cure = "; cut with narrow" if min(before, after) < 0 else ""
        problem = (
            f"mode {mode!r} can add {limit} entries at each end of axis {axis} of length {n}, "
            f"not {before} and {after}{cure}"
        )
        raise refuse("pad", problem, x)
    if mode == "reflect":
        left = flip(part(x, axis, 1, before), axis)
        right = flip(part(x, axis, n - 1 - after, after), axis)
    elif mode == "circular":
        left, right = part(x, axis, n - before, before), part(x, axis, 0, after)
    else:
        left = _repeated(part(x, axis, 0, 1), axis, before)
        right = _repeated(part(x, axis, n - 1, 1), axis, after)
    return cat([left, x, right], axis)


def _repeated(x: Any, axis: int, count: int) -> Any:
    return expand(x, tuple(count if i == axis else -1 for i in range(len(x.shape))))
