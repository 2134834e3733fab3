"""Multi-head attention as a module."""

from __future__ import annotations

import math
from typing import Any

from minigrad.backend import Device
from minigrad.engine.dtypes import DType
from minigrad.engine.errors import describe
from minigrad.nn import init
from minigrad.nn.blank import blank, check_count
from minigrad.nn.dropout import Dropout
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.attention import attention_weights, causal_mask, scaled_dot_product_attention
from minigrad.ops.compare import logical_and, logical_not, where
from minigrad.ops.create import zeros
from minigrad.ops.dense import linear
from minigrad.ops.dropout import dropout
from minigrad.ops.joining import cat, chunk
from minigrad.ops.linalg import matmul
from minigrad.ops.pad import pad
from minigrad.ops.reduce import mean
from minigrad.ops.shape import expand, swapaxes


class MultiheadAttention(Module):
    """Attention in several subspaces at once, each with projections of its own.

    Head i computes ``softmax(q_i k_i^T / sqrt(d)) v_i`` of its parts of the projected queries,
    keys and values, ``d = embed_dim / num_heads``; the heads' results are joined and projected.

    Parameters
    ----------
    embed_dim : int
        The length of queries and results.
    num_heads : int
        It must divide ``embed_dim``.
    dropout : float
        Probability of dropping an attention weight, in training.
    bias : bool
        Whether the projections have biases.
    add_bias_kv : bool
        Whether one more key and value, which are learned, stand behind the others.
    add_zero_attn : bool
        Whether one more key and value, of zeros, stand behind the others.
    kdim, vdim : int, optional
        The lengths of keys and values, ``embed_dim`` unless given.
    batch_first : bool
        Whether sequences are ``(N, T, ...)`` rather than ``(T, N, ...)``.
    device, dtype : optional
        Where the parameters live, and their type.

    Attributes
    ----------
    in_proj_weight : Parameter
        ``(3 * embed_dim, embed_dim)``, the rows for queries, keys, values; with other ``kdim`` or
        ``vdim`` instead ``q_proj_weight``, ``k_proj_weight`` and ``v_proj_weight``. Each is drawn
        by `init.xavier_uniform_`.
    in_proj_bias : Parameter or None
        ``(3 * embed_dim,)``, starts as 0.
    out_proj : Linear
        Its bias starts as 0.
    bias_k, bias_v : Parameter or None
        Those of ``add_bias_kv``, ``(1, 1, embed_dim)``, drawn by `init.xavier_normal_`.

    Raises
    ------
    TypeError, ValueError
        An option is out of its range, or ``num_heads`` does not divide ``embed_dim``. (At the call:
        shapes do not fit, or a mask is neither bool nor floating.)

    References
    ----------
    A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017.

    Examples
    --------
    >>> import minigrad as mg
    >>> attention = mg.nn.MultiheadAttention(16, 4, batch_first=True)
    >>> x = mg.ones(2, 5, 16)
    >>> y, weights = attention(x, x, x, is_causal=True)
    >>> y.shape, weights.shape
    ((2, 5, 16), (2, 5, 5))
    >>> weights[0, 1]
    tensor([0.5, 0.5, 0. , 0. , 0. ], grad_fn=<getitem>)
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.embed_dim = check_count("embed_dim", embed_dim)
        self.num_heads = check_count("num_heads", num_heads)
        if self.embed_dim == 0 or self.num_heads == 0 or self.embed_dim % self.num_heads:
            raise ValueError(
                f"embed_dim={embed_dim} cannot be cut into num_heads={num_heads} equal parts; "
                "num_heads must divide it, and neither be 0"
            )
        self.kdim = self.embed_dim if kdim is None else check_count("kdim", kdim)
        self.vdim = self.embed_dim if vdim is None else check_count("vdim", vdim)
        self.dropout = Dropout(dropout).p  # which checks it
        self.add_zero_attn = add_zero_attn
        self.batch_first = batch_first

        def parameter(*shape: int) -> Parameter:
            order = (1, 0) if len(shape) == 2 else None  # as Linear's weight lies
            return Parameter(blank(shape, device, dtype, order))

        size = self.embed_dim
        if (self.kdim, self.vdim) == (size, size):
            self.register_parameter("in_proj_weight", parameter(3 * size, size))
        else:
            self.register_parameter("in_proj_weight", None)
            self.q_proj_weight = parameter(size, size)
            self.k_proj_weight = parameter(size, self.kdim)
            self.v_proj_weight = parameter(size, self.vdim)
        self.register_parameter("in_proj_bias", parameter(3 * size) if bias else None)
        self.register_parameter("bias_k", parameter(1, 1, size) if add_bias_kv else None)
        self.register_parameter("bias_v", parameter(1, 1, size) if add_bias_kv else None)
        self.out_proj = Linear(size, size, bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        self.out_proj.reset_parameters()
        if self.in_proj_weight is None:
            for weight in (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
                init.xavier_uniform_(weight)
        else:
            init.xavier_uniform_(self.in_proj_weight)
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        if self.bias_k is not None and self.bias_v is not None:
            init.xavier_normal_(self.bias_k)
            init.xavier_normal_(self.bias_v)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """Return the results, and the weights or None.

        Parameters
        ----------
        query, key, value : Tensor
            ``(L, N, embed_dim)``, ``(S, N, kdim)`` and ``(S, N, vdim)``; with ``batch_first`` N
            comes first; for one sequence there is no N. The result has the shape of the query.
        key_padding_mask : Tensor, optional
            ``(N, S)``: True for the keys that are padding, which no query looks at; or numbers to
            be added to their scores.
        need_weights : bool
            Whether the weights are returned, ``(N, L, S)``.
        attn_mask : Tensor, optional
            ``(L, S)``, or ``(N * num_heads, L, S)``: True where a query may not look at a key (the
            opposite of `scaled_dot_product_attention`, as in torch); or numbers to be added to the
            scores. A query that may look at nothing gets 0 of every value, and so the bias of the
            last projection (torch: NaN).
        average_attn_weights : bool
            Whether the weights are averaged over the heads; else they are
            ``(N, num_heads, L, S)``.
        is_causal : bool
            Query i looks at keys 0 to i only. It needs no mask, and holds beside one.
        """
        self._check(query, key, value)
        batched = query.ndim == 3
        q = self._rows(query)  # what is one stays one, so that one product can serve it
        k = q if key is query else self._rows(key)
        v = k if value is key else self._rows(value)
        batch, count, keys = q.shape[0], q.shape[1], k.shape[1]
        mask = self._mask(key_padding_mask, attn_mask, is_causal, (batch, count, keys), q)
        q, k, v = self._project(q, k, v)
        if self.bias_k is not None and self.bias_v is not None:
            one = (batch, 1, self.embed_dim)
            k, v = cat([k, expand(self.bias_k, one)], 1), cat([v, expand(self.bias_v, one)], 1)
        q, k, v = map(self._heads, (q, k, v))
        if self.add_zero_attn:
            k, v = (
                cat([a, zeros((*a.shape[:2], 1, a.shape[3]), dtype=a.dtype, device=a.device)], 2)
                for a in (k, v)
            )
        drop = self.dropout if self.training else 0.0
        weights = None
        if need_weights:
            weights = dropout(attention_weights(q, k, mask), drop)
            y = matmul(weights, v)
        else:
            y = scaled_dot_product_attention(q, k, v, mask, drop)
        y = self.out_proj(swapaxes(y, 1, 2).reshape((batch, count, self.embed_dim)))
        if weights is not None:
            weights = mean(weights, 1) if average_attn_weights else weights
            weights = weights if batched else weights[0]
        if not batched:
            return y[0], weights
        return (y if self.batch_first else swapaxes(y, 0, 1)), weights

    def _rows(self, x: Any) -> Any:
        """Return sequences as ``(N, T, ...)``."""
        if x.ndim == 2:
            return x.reshape((1, *x.shape))
        return x if self.batch_first else swapaxes(x, 0, 1)

    def _project(self, q: Any, k: Any, v: Any) -> tuple[Any, ...]:
        """Return the projected queries, keys and values, by one product where they are one."""
        size, bias = self.embed_dim, self.in_proj_bias
        weight = self.in_proj_weight
        if weight is None:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
            biases = (None,) * 3 if bias is None else chunk(bias, 3)
            return tuple(map(linear, (q, k, v), weights, biases))
        if q is k and k is v:
            return tuple(chunk(linear(q, weight, bias), 3, -1))

        def part(x: Any, first: int, last: int) -> Any:
            rows = slice(first * size, last * size)
            return linear(x, weight[rows], None if bias is None else bias[rows])

        if k is v:
            return part(q, 0, 1), *chunk(part(k, 1, 3), 2, -1)
        return part(q, 0, 1), part(k, 1, 2), part(v, 2, 3)

    def _heads(self, x: Any) -> Any:
        """Return ``(N, T, embed_dim)`` as ``(N, num_heads, T, d)``."""
        shape = (*x.shape[:2], self.num_heads, self.embed_dim // self.num_heads)
        return swapaxes(x.reshape(shape), 1, 2)

    def _mask(
        self, padding: Any, attn: Any, is_causal: bool, sizes: tuple[int, int, int], x: Any
    ) -> Any:
        """Return one mask as `scaled_dot_product_attention` takes it; None where all may look."""
        batch, count, keys = sizes
        masks = []
        if padding is not None:
            _check_mask(
                "key_padding_mask", padding, [(batch, keys), *([(keys,)] if batch == 1 else [])]
            )
            masks.append(padding.reshape((batch, 1, 1, keys)))
        if attn is not None:
            one = (count, keys)
            _check_mask("attn_mask", attn, [one, (batch * self.num_heads, *one)])
            heads = (batch, self.num_heads) if attn.ndim == 3 else (1, 1)
            masks.append(attn.reshape((*heads, *one)))
        keep = causal_mask(x, count, keys) if is_causal else None
        scores = None
        for mask in masks:
            if mask.dtype.kind == "b":
                mask = logical_not(mask)
                keep = mask if keep is None else logical_and(keep, mask)
            else:
                scores = mask if scores is None else scores + mask
        extra = (self.bias_k is not None) + self.add_zero_attn  # keys that all may look at
        if extra:
            keep = None if keep is None else pad(keep, (0, extra), value=True)
            scores = None if scores is None else pad(scores, (0, extra))
        if scores is None or keep is None:
            return keep if scores is None else scores
        return where(keep, scores, -math.inf)

    def _check(self, q: Any, k: Any, v: Any) -> None:
        """Raise if the operands of a call do not fit."""
        axis = 0 if self.batch_first else 1  # of the batch
        text = None
        if q.ndim not in (2, 3) or not q.ndim == k.ndim == v.ndim:
            text = "all must have 3 axes, or 2 for one sequence"
        elif (q.shape[-1], k.shape[-1], v.shape[-1]) != (self.embed_dim, self.kdim, self.vdim):
            text = (
                f"their last axes must be embed_dim={self.embed_dim}, kdim={self.kdim} and "
                f"vdim={self.vdim}"
            )
        elif k.shape[:-1] != v.shape[:-1]:
            text = "each key needs one value"
        elif q.ndim == 3 and q.shape[axis] != k.shape[axis]:
            text = (
                f"batches of {q.shape[axis]} and {k.shape[axis]} (axis {axis}, as "
                f"batch_first={self.batch_first}) do not belong together"
            )
        if text is not None:
            shown = f"query {describe(q)}, key {describe(k)}, value {describe(v)}"
            raise ValueError(f"MultiheadAttention: {shown}; {text}")


def _check_mask(name: str, mask: Any, shapes: list[tuple[int, ...]]) -> None:
    """Raise if a mask has none of the shapes, or is neither bool nor floating."""
    if tuple(mask.shape) not in shapes:
        wanted = " or ".join(str(list(shape)) for shape in shapes)
        raise ValueError(f"MultiheadAttention: {name} is {describe(mask)}, it must be {wanted}")
    if mask.dtype.kind not in "bf":
        raise TypeError(
            f"MultiheadAttention: {name} is {mask.dtype}; it must be bool (True where a query may "
            "not look) or floating (added to the scores): mask.bool()"
        )
