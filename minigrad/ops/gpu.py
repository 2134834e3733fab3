"""How ops use the kernels written by hand for a GPU (`minigrad.backend.kernels`).

A forward that ran as a kernel saves an object of this module, and the op's rules ask it for the
gradients. Derivatives of higher order go through what the op means, as on the CPU.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad.backend import Array, Backend, backend_of
from minigrad.ops.kernels import wide


def _matrix(x: Array, shape: tuple[int, ...], dtype: Any = None) -> Array:
    """Return x in row-major order, in a shape and a dtype."""
    x = x if dtype is None else x.astype(dtype, copy=False)
    return backend_of(x).ascontiguousarray(x).reshape(shape)


def _flat(v: Array | None, dtype: Any) -> Array | None:
    return None if v is None else _matrix(v, (-1,), dtype)


class Rows(NamedTuple):
    """What a normalisation of rows saves: the rows, and two numbers for each."""

    x: Array
    means: Array
    scales: Array
    centred: bool

    def slope(self, g: Array, weight: Array | None) -> Array:
        """Return the gradient of the rows."""
        g, weight = _matrix(g, self.x.shape, self.x.dtype), _flat(weight, self.means.dtype)
        kernel = backend_of(g).kernels.layer_norm_grad
        return kernel(g, self.x, weight, self.means, self.scales, self.centred)

    def weight_slope(self, g: Array) -> Array:
        """Return the gradient of the weight, flat."""
        g = _matrix(g, self.x.shape, self.x.dtype)
        return backend_of(g).kernels.layer_norm_weight_grad(g, self.x, self.means, self.scales)


def normalised(
    xp: Backend,
    x: Array,
    width: int,
    weight: Array | None,
    bias: Array | None,
    eps: float,
    centred: bool,
) -> tuple[Array, Rows]:
    """Return x normalised in rows of this width, scaled and shifted."""
    rows, dtype = _matrix(x, (x.size // max(width, 1), width)), wide(x[:0]).dtype
    y, means, scales = xp.kernels.layer_norm(
        rows, _flat(weight, dtype), _flat(bias, dtype), eps, centred
    )
    return y.reshape(x.shape), Rows(rows, means, scales, centred)


class Scores(NamedTuple):
    """What a cross-entropy of class labels saves: the scores in rows, and two numbers for each."""

    x: Array
    labels: Array
    weight: Array | None
    ignored: int
    smoothing: float
    divisor: Array
    tops: Array
    totals: Array

    def slope(self, g: Array) -> Array:
        """Return the gradient of the rows of scores."""
        g = _matrix(g, (-1,), self.tops.dtype)
        return backend_of(g).kernels.cross_entropy_grad(
            g, self.divisor, self.x, self.labels, self.weight, self.ignored, self.smoothing,
            self.tops, self.totals,
        )  # fmt: skip


def label_losses(
    xp: Backend,
    rows: Array,
    labels: Array,
    weight: Array | None,
    ignored: int,
    smoothing: float,
    reduction: str,
) -> tuple[Array, Scores]:
    """Return the cross-entropy of rows of scores and labels, all in range or ignored."""
    dtype = wide(rows[:0]).dtype
    labels, weight = _matrix(labels, (-1,), xp.int64), _flat(weight, dtype)
    loss, divisor, tops, totals = xp.kernels.cross_entropy(
        rows, labels, weight, ignored, smoothing, reduction
    )
    saved = Scores(rows, labels, weight, ignored, smoothing, divisor, tops, totals)
    return loss.astype(rows.dtype, copy=False), saved


def by_windows(xp: Backend, x: Array, where: Any) -> bool:
    """Say whether kernels for pooling windows do it: of floats, over one axis or two."""
    return xp.kernels is not None and x.dtype.kind == "f" and len(where.size) <= 2


__all__ = ["Rows", "Scores", "by_windows", "label_losses", "normalised"]
