"""The dense layer: a product with a weight matrix, and a bias."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, backend_of
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import composite, fused
from minigrad.ops.linalg import matmul
from minigrad.ops.shape import swapaxes

__all__ = ["bilinear", "linear"]


def _rows(a: Any) -> Any:
    """Flatten all axes but the last into one, so that one matrix product serves them all."""
    return a if a.ndim == 2 else a.reshape((math.prod(a.shape[:-1]), a.shape[-1]))


def _linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """Return ``x W^T + b``, what `linear` means."""
    if weight.ndim == 1:
        y = matmul(x, weight)
    else:
        y = matmul(_rows(x), swapaxes(weight, 0, 1)).reshape((*x.shape[:-1], weight.shape[0]))
    return y if bias is None else y + bias


def _linear_x(g: Any, weight: Any, x_shape: tuple[int, ...]) -> Any:
    if weight.ndim == 1:
        return g[..., None] * weight
    product = backend_of(g).matmul  # not @: threads may share a large product
    return product(g, weight) if g.ndim <= 2 else product(_rows(g), weight).reshape(x_shape)


def _linear_weight(g: Any, x: Any, weight_shape: tuple[int, ...]) -> Any:
    if len(weight_shape) == 1:
        return _rows(g[..., None])[:, 0] @ _rows(x)
    return backend_of(g).matmul(_rows(x).T, _rows(g)).T  # lies as the weight does: (in, out)


def _linear_hint(shapes: list[tuple[int, ...]], options: dict[str, Any]) -> str | None:
    if len(shapes) < 2:
        return "x and the weight must be Tensors or arrays"
    x, weight, *rest = shapes
    if len(weight) not in (1, 2):
        return f"the weight has shape {list(weight)}; it must be (out, in), or (in,) for one output"
    if not x:
        return "x is a single number; linear needs its features in a last axis"
    if x[-1] != weight[-1]:
        named = f"shape (out={weight[0]}, in={weight[1]})" if len(weight) == 2 else "shape (in,)"
        text = f"x has {x[-1]} features in its last axis, the weight expects {weight[-1]} ({named})"
        size = math.prod(x[1:])
        if len(weight) == 2 and x[-1] == weight[0]:
            return text + "; the weight is the wrong way round: pass weight.mT"
        if len(x) > 2 and size == weight[-1]:
            return text + f"; flatten each sample into one axis first: x.reshape({x[0]}, {size})"
        fitting = f"nn.Linear({x[-1]}, {weight[0]})" if len(weight) == 2 else f"({x[-1]},)"
        return text + f"; make the layer {fitting}, or change what comes before it"
    out = weight[:-1]
    if rest and rest[0] not in (out, (), (1,)):
        return f"the bias has shape {list(rest[0])}; one number for each output is {list(out)}"
    return None


# Against its meaning, forward + backward: 2x at 32x4->64, 1.8x at 32x64->64, 1.1x at 1024x128->512
@fused(
    _linear,
    cast="common",
    x=_linear_x,
    weight=_linear_weight,
    bias=lambda g: g,  # the engine sums it, by a product with ones
    hint=_linear_hint,
    facts=Facts(
        lambda x, weight, bias=None: x @ weight.T + (0 if bias is None else bias),
        [
            S((3, 4), (5, 4), (5,)),
            S((3, 4), (5, 4), None),
            S((4,), (5, 4), (5,)),
            S((2, 3, 4), (5, 4), (5,)),
            S((2, 1, 3, 4), (1, 4), (1,)),
            S((3, 4), (5, 4), ()),
            S((3, 4), (4,), ()),
            S((2, 3, 4), (4,), None),
            S((4,), (4,), None),
            S((0, 4), (5, 4), (5,)),
            S((3, 0), (5, 0), (5,)),
            S((2, 0, 4), (5, 4), (5,)),
            S((40, 6), (50, 6), (50,)),
        ],
        torch="nn.functional.linear",
        formula="x W^T + b",
    ),
)
def linear(xp: Backend, x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Dense layer, ``x W^T + b``: ``(..., in), (out, in), (out,) -> (..., out)``.

    A weight of shape ``(in,)`` gives one number without an axis. The weight's memory may lie as
    ``(in, out)`` under the shape ``(out, in)``; then the product runs over contiguous rows, and
    the weight's gradient comes out in the same layout.

    Raises
    ------
    ValueError
        The last axes of x and weight differ, or the bias does not fit the outputs.

    Examples
    --------
    >>> import minigrad as mg
    >>> w, b = mg.tensor([[1.0, 0.0], [1.0, 1.0]]), mg.tensor([0.0, 10.0])
    >>> mg.linear(mg.tensor([1.0, 2.0]), w, b)
    tensor([ 1., 13.])
    """
    if weight.ndim not in (1, 2):
        raise ValueError(_linear_hint([x.shape, weight.shape], {}))
    if weight.ndim == 1 or x.ndim <= 2:
        y = xp.matmul(x, weight.T)
    else:
        y = xp.matmul(_rows(x), weight.T).reshape((*x.shape[:-1], weight.shape[0]))
    if bias is None:
        return y
    if y.ndim == 0:
        return y + bias
    y += bias
    return y


@composite(
    facts=Facts(
        lambda x1, x2, weight, bias=None: (
            np.einsum("...i,kij,...j->...k", x1, weight, x2) + (0 if bias is None else bias)
        ),
        [
            S((3, 4), (3, 5), (2, 4, 5), (2,)),
            S((3, 4), (3, 5), (2, 4, 5), None),
            S((4,), (5,), (2, 4, 5), (2,)),
            S((2, 3, 4), (2, 3, 5), (1, 4, 5), (1,)),
            S((0, 4), (0, 5), (2, 4, 5), (2,)),
        ],
        torch="nn.functional.bilinear",
        formula="y[..., k] = sum over i, j of x1[..., i] W[k, i, j] x2[..., j] + b[k]",
    )
)
def bilinear(x1: Array, x2: Array, weight: Array, bias: Array | None = None) -> Array:
    """Bilinear form for each output: ``(..., in1), (..., in2), (out, in1, in2) -> (..., out)``.

    Raises
    ------
    ValueError
        The shapes do not fit together; the text names them.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.bilinear(mg.tensor([1.0, 2.0]), mg.tensor([3.0]), mg.ones(1, 2, 1))
    tensor([9.])
    """
    shapes = [tuple(x1.shape), tuple(x2.shape), tuple(weight.shape)]
    if (
        len(shapes[2]) != 3
        or shapes[0][:-1] != shapes[1][:-1]
        or (shapes[0][-1:] + shapes[1][-1:]) != shapes[2][1:]
    ):
        raise ValueError(
            f"bilinear: x1 {list(shapes[0])}, x2 {list(shapes[1])}, weight {list(shapes[2])}; they "
            "must be (..., in1), (..., in2) with equal leading axes, and (out, in1, in2)"
        )
    out, in1, in2 = shapes[2]
    left = matmul(_rows(x1), swapaxes(weight, 0, 1).reshape((in1, out * in2)))
    y = matmul(left.reshape((left.shape[0], out, in2)), _rows(x2)[..., None])
    y = y.reshape((*shapes[0][:-1], out))
    return y if bias is None else y + bias
