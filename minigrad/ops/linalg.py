"""Matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import op
from minigrad.ops.shape import swapaxes


def _left(g: Any, b: Any, a_shape: tuple[int, ...]) -> Any:
    """Gradient of the left operand: ``g b^T`` (vectors are treated as matrices)."""
    if len(b.shape) == 1:
        return g[..., None] * b
    if len(a_shape) == 1:
        return matmul(g[..., None, :], swapaxes(b, -1, -2))[..., 0, :]
    return matmul(g, swapaxes(b, -1, -2))


def _right(g: Any, a: Any, b_shape: tuple[int, ...]) -> Any:
    """Gradient of the right operand: ``a^T g``."""
    if len(b_shape) == 1:
        g = g[..., None]
    if len(a.shape) == 1:
        column = a[:, None] * (g if len(b_shape) == 1 else g[..., None, :])
        return column[..., 0] if len(b_shape) == 1 and column.ndim > 1 else column
    column = matmul(swapaxes(a, -1, -2), g)
    return column[..., 0] if len(b_shape) == 1 else column


def _hint(shapes: list[tuple[int, ...]], options: dict[str, Any]) -> str | None:
    if len(shapes) < 2:
        return "the other operand must be a Tensor or an array"
    a, b = shapes
    if not a or not b:
        return "matmul needs at least one axis on each side; use * to scale by a number"
    inner = b[-2] if len(b) > 1 else b[-1]
    if a[-1] != inner:
        axis = "the axis before the last" if len(b) > 1 else "the only axis"
        text = f"the last axis of a is {a[-1]}, {axis} of b is {inner}, and they must be equal"
        if len(b) > 1 and a[-1] == b[-1]:
            text += "; b.mT (b transposed) would fit"
        elif len(a) > 1 and a[-2] == inner:
            text += "; a.mT (a transposed) would fit"
        return text
    return f"the batch axes {list(a[:-2])} and {list(b[:-2])} do not broadcast together"


@op(
    cast="common",
    a=_left,
    b=_right,
    hint=_hint,
    facts=Facts(
        np.matmul,
        [
            S((3, 4), (4, 5)),
            S((4,), (4,)),
            S((3, 4), (4,)),
            S((4,), (4, 5)),
            S((2, 3, 4), (2, 4, 5)),
            S((5, 2, 3), (3, 4)),
            S((2, 1, 3, 4), (5, 4, 2)),
            S((4,), (2, 4, 5)),
            S((2, 3, 4), (4,)),
            S((0, 3), (3, 2)),
            S((2, 0), (0, 3)),
        ],
        analytic=True,
        formula="y[..., i, j] = sum over k of a[..., i, k] b[..., k, j]",
    ),
)
def matmul(xp: Backend, a: Array, b: Array) -> Array:
    """Matrix product; leading axes are batches and broadcast.

    ``(..., n, k) @ (..., k, m) -> (..., n, m)``; a 1-d left operand is a row, a 1-d right operand
    a column, and the axis added for that is dropped again.

    Raises
    ------
    ValueError
        The inner axes differ, or the batch axes do not broadcast.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([[1.0, 2.0], [3.0, 4.0]]) @ mg.tensor([1.0, 10.0])
    tensor([21., 43.])
    """
    return xp.matmul(a, b)
