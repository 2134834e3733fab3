"""Attention: for each query a mean of the values, weighted by how alike query and key are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, backend_of
from minigrad.engine.errors import show_line, user_line
from minigrad.engine.facts import Facts, S, booleans
from minigrad.engine.op import composite, fused
from minigrad.engine.tensor import Tensor
from minigrad.ops.compare import where
from minigrad.ops.dropout import dropout
from minigrad.ops.exponential import exp
from minigrad.ops.kernels import row_max, row_sums, softmax_slope, wide
from minigrad.ops.linalg import matmul
from minigrad.ops.reduce import softmax, sum
from minigrad.ops.shape import swapaxes

__all__ = ["scaled_dot_product_attention"]


def _masked_softmax(scores: Any, mask: Any) -> Any:
    """Return the softmax over what the mask lets through; 0 where that is nothing: in ops."""
    if mask is None:
        return softmax(scores, -1)
    keep = mask
    if mask.dtype.kind == "f":
        scores = scores + mask
        keep = scores > -math.inf
    raw, keep = (a._array if isinstance(a, Tensor) else a for a in (scores, keep))
    xp = backend_of(raw)
    top = xp.where(keep, raw, -math.inf).max(axis=-1, keepdims=True)  # any shift does: a constant
    e = exp(where(keep, scores - xp.where(top > -math.inf, top, 0), 0.0)) * keep
    total = sum(e, -1, keepdim=True)
    return e / where(total > 0, total, 1.0)


def _masked_softmax_scores(g: Any, y: Any) -> Any:
    xp = backend_of(g)
    if xp.kernels is not None:
        return xp.kernels.masked_softmax_grad(g, y)
    return softmax_slope(xp, g, y)


def _np_masked_softmax(scores: Any, mask: Any = None) -> Any:
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype.kind == "b" else scores + mask
    e = np.exp(scores - np.maximum(scores.max(axis=-1, keepdims=True), -1e300))
    return e / np.maximum(e.sum(axis=-1, keepdims=True), 1e-300)


# Against its meaning, forward + backward: with a mask 3.6x at 64x64x64, without 2x
@fused(
    _masked_softmax,
    scores=_masked_softmax_scores,
    mask=_masked_softmax_scores,
    hint=lambda shapes, options: (
        f"the mask {list(shapes[1])} does not broadcast to the scores {list(shapes[0])} "
        "(queries, keys last)"
        if len(shapes) > 1
        else None
    ),
    facts=Facts(
        _np_masked_softmax,
        [
            S((3, 4), None),
            S((2, 3, 4), (3, 4)),
            S((2, 3, 4), booleans((3, 4))),
            S((2, 3, 4), lambda rng: np.tri(3, 4, -1) > 0),
            S((2, 3, 1), booleans((2, 3, 1))),
        ],
        torch="",
    ),
)
def masked_softmax(xp: Backend, scores: Array, mask: Array | None = None) -> Array:
    """Softmax over the last axis of what a mask lets through; a row with nothing becomes 0.

    A bool mask lets through where it is True; a floating one is added to the scores.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.attention import masked_softmax
    >>> masked_softmax(mg.zeros(2, 2), mg.tensor([[True, False], [False, False]]))
    tensor([[1., 0.],
            [0., 0.]])
    """
    if xp.kernels is not None and scores.dtype.kind == "f":
        shape = scores.shape if mask is None else xp.broadcast_shapes(scores.shape, mask.shape)
        return xp.kernels.masked_softmax(xp.broadcast_to(scores, shape), mask)
    s = wide(scores)
    if mask is not None and mask.dtype.kind == "f":
        s, mask = s + mask, None
    if s.size == 0:
        return scores.copy()
    top = float(s.max())
    if top - float(s.min()) < 16:  # one shift serves all rows: exp stays above 1e-7
        e = xp.exp(s - top)
        if mask is not None:
            e *= mask
    else:
        if mask is not None:
            s = xp.where(mask, s, -math.inf)
        peak = row_max(xp, s)
        with xp.errstate(invalid="ignore"):  # an infinite score gives NaN
            e = xp.exp(s - xp.where(peak == -math.inf, 0, peak))
    total = row_sums(xp, e)
    e /= total + (total == 0)
    return e.astype(scores.dtype, copy=False)


def _np_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, is_causal: bool = False,
    scale: float | None = None,
) -> Any:  # fmt: skip
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = np.einsum("...le,...se->...ls", query, key) * scale
    mask = np.tri(*scores.shape[-2:]) > 0 if is_causal else attn_mask
    return _np_masked_softmax(scores, mask) @ value


@composite(
    facts=Facts(
        _np_attention,
        [
            S((3, 4), (5, 4), (5, 2), None),
            S((2, 3, 4), (2, 5, 4), (2, 5, 2), None, scale=0.3),
            S((2, 2, 3, 4), (2, 2, 3, 4), (2, 2, 3, 4), None, is_causal=True),
            S((2, 4, 4), (2, 3, 4), (2, 3, 4), None, is_causal=True),
            S((2, 3, 4), (2, 5, 4), (2, 5, 4), (3, 5)),
            S((2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4), booleans((2, 1, 3, 5))),
            S((2, 3, 4), (2, 3, 4), (2, 3, 4), lambda rng: np.tri(3, 3, -1) > 0),
            S((2, 3, 3, 4), (1, 3, 5, 4), (1, 3, 5, 4), None),
        ],
        torch="nn.functional.scaled_dot_product_attention",
        formula="softmax(query key^T / sqrt(E) + mask) value",
    )
)
def scaled_dot_product_attention(
    query: Array,
    key: Array,
    value: Array,
    attn_mask: Array | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Array:
    """Attention: ``softmax(query key^T scale + mask) value``.

    Parameters
    ----------
    query, key, value : Tensor
        ``(..., L, E)``, ``(..., S, E)`` and ``(..., S, V)``; the result is ``(..., L, V)``.
    attn_mask : Tensor, optional
        Bool, True where a query may look at a key; or floating, added to the scores. It broadcasts
        to ``(..., L, S)``. A query that may look at nothing gets 0.
    dropout_p : float
        Probability of dropping a weight. It applies whenever it is not 0: pass 0 to evaluate.
    is_causal : bool
        Query i looks at keys 0 to i.
    scale : float, optional
        ``1 / sqrt(E)`` unless given.

    Raises
    ------
    ValueError
        The shapes do not fit, or both ``attn_mask`` and ``is_causal`` are given.
    TypeError
        The mask is neither bool nor floating.

    References
    ----------
    A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017.

    Examples
    --------
    >>> import minigrad as mg
    >>> q, k = mg.tensor([[0.0, 0.0]]), mg.ones(2, 2)
    >>> mg.scaled_dot_product_attention(q, k, mg.tensor([[1.0], [3.0]]))
    tensor([[2.]])
    """
    _check_attention(query, key, value, attn_mask, is_causal)
    if is_causal:
        attn_mask = causal_mask(query, query.shape[-2], key.shape[-2])
    weights = attention_weights(query, key, attn_mask, scale)
    return matmul(dropout(weights, dropout_p), value)


def attention_weights(query: Any, key: Any, mask: Any, scale: float | None = None) -> Any:
    """Return ``softmax(query key^T scale + mask)``, without checks."""
    scale = 1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale
    return masked_softmax(matmul(query * scale, swapaxes(key, -1, -2)), mask)


def causal_mask(x: Any, rows: int, columns: int) -> Any:
    """Return the mask, beside x and raw, that lets query i look at keys 0 to i."""
    xp = backend_of(x._array if isinstance(x, Tensor) else x)
    return xp.arange(rows)[:, None] >= xp.arange(columns)


def _check_attention(query: Any, key: Any, value: Any, mask: Any, is_causal: bool) -> None:
    shapes = [tuple(a.shape) for a in (query, key, value)]
    q, k, v = shapes
    text = None
    if min(map(len, shapes)) < 2:
        text = "each needs two axes or more"
    elif q[-1] != k[-1]:
        text = f"queries have {q[-1]} features and keys {k[-1]}, they must have the same number"
    elif k[-2] != v[-2]:
        text = f"there are {k[-2]} keys and {v[-2]} values, each key needs one"
    elif mask is not None and is_causal:
        text = "give attn_mask or is_causal, not both (is_causal means ones(L, S).tril().bool())"
    if text is not None:
        shown = ", ".join(
            f"{n} {list(s)}" for n, s in zip(("query", "key", "value"), shapes, strict=True)
        )
        raise ValueError(
            f"scaled_dot_product_attention({shown}): {text}; shapes are (..., L, E), (..., S, E), "
            f"(..., S, V)\n  at {show_line(user_line())}"
        )
    if mask is not None and mask.dtype.kind not in "bf":
        raise TypeError(
            f"scaled_dot_product_attention: attn_mask is {mask.dtype}; it must be bool (True where "
            f"a query may look) or floating (added to the scores): attn_mask.bool()\n"
            f"  at {show_line(user_line())}"
        )
