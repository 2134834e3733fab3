"""Recurrent layers over whole sequences: a loop over time inside one op, forward and backward.

What the input adds at every time step is one product before the loop, made by the caller; the
loop holds only what depends on the state before. Backward through time runs once for all operands
(``shared``), and the weight's gradient is then one product over all time steps.

Sequences of different lengths lie in one tensor, padded at their ends. Where a sequence has ended,
its state stays as it is; run in reverse, it starts at its own end. So the state after the last
step is each sequence's final one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, backend_of
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import fused
from minigrad.engine.tensor import Tensor
from minigrad.ops.activation import relu, sigmoid
from minigrad.ops.compare import where
from minigrad.ops.dense import linear
from minigrad.ops.index import IndexArray
from minigrad.ops.joining import chunk, stack
from minigrad.ops.kernels import wide
from minigrad.ops.trigonometric import tanh

__all__: list[str] = []  # the modules of `minigrad.nn` and their cells are the way in

# ---- one step, in ops ---------------------------------------------------------------------------


def rnn_step(gates: Any, nonlinearity: str = "tanh") -> Any:
    """Return the next state of a simple recurrent layer: ``tanh(gates)``, or relu."""
    return relu(gates) if nonlinearity == "relu" else tanh(gates)


def lstm_step(gates: Any, c: Any) -> tuple[Any, Any]:
    """Return the next ``(h, c)`` of an LSTM; gates ``(N, 4H)`` are i, f, g, o."""
    i, f, g, o = chunk(gates, 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def gru_step(gates: Any, recurrent: Any, h: Any) -> Any:
    """Return the next state of a GRU, of what input and state give to r, z, n: ``(N, 3H)`` each."""
    (r, z, n), (hr, hz, hn) = chunk(gates, 3, -1), chunk(recurrent, 3, -1)
    z = sigmoid(z + hz)
    n = tanh(n + sigmoid(r + hr) * hn)
    return n + z * (h - n)


# ---- the loop, in ops ---------------------------------------------------------------------------


def _order(count: int, reverse: bool) -> range:
    return range(count - 1, -1, -1) if reverse else range(count)


def _scan(
    step: Callable[..., tuple[Any, ...]],
    gates: Any,
    state: tuple[Any, ...],
    lengths: Any,
    reverse: bool,
) -> list[Any]:
    """Return the states of all time steps, each part of the state as one ``(T, N, H)`` tensor."""
    lengths = lengths._array if isinstance(lengths, Tensor) else lengths
    rows: list[Any] = [None] * len(gates)
    for t in _order(len(gates), reverse):
        new = step(gates[t], *state)
        if lengths is not None:
            lasts = (lengths > t)[:, None]
            new = tuple(where(lasts, n, s) for n, s in zip(new, state, strict=True))
        rows[t] = state = new
    return [stack(parts, 0) for parts in zip(*rows, strict=True)]


def _rnn(
    gates: Any, weight: Any, h: Any, lengths: Any = None, nonlinearity: str = "tanh",
    reverse: bool = False,
) -> Any:  # fmt: skip
    """Return what `rnn_sequence` means."""

    def step(gate: Any, h: Any) -> tuple[Any]:
        return (rnn_step(gate + linear(h, weight), nonlinearity),)

    return _scan(step, gates, (h,), lengths, reverse)[0]


def _lstm(
    gates: Any, weight: Any, h: Any, c: Any, lengths: Any = None, reverse: bool = False
) -> Any:
    """Return what `lstm_sequence` means."""

    def step(gate: Any, h: Any, c: Any) -> tuple[Any, Any]:
        return lstm_step(gate + linear(h, weight), c)

    return stack(_scan(step, gates, (h, c), lengths, reverse), 0)


def _gru(
    gates: Any, weight: Any, bias: Any, h: Any, lengths: Any = None, reverse: bool = False
) -> Any:
    """Return what `gru_sequence` means."""

    def step(gate: Any, h: Any) -> tuple[Any]:
        return (gru_step(gate, linear(h, weight, bias), h),)

    return _scan(step, gates, (h,), lengths, reverse)[0]


# ---- kernels ------------------------------------------------------------------------------------


class _Padding:
    """Which sequences go on at a time step: None where all do."""

    def __init__(self, lengths: Any) -> None:
        self.lengths = lengths
        self.shortest = None if lengths is None or not lengths.size else int(lengths.min())

    def goes_on(self, t: int) -> Any:
        if self.shortest is None or t < self.shortest:
            return None
        return (self.lengths > t)[:, None]

    def split(self, g: Any, t: int) -> tuple[Any, Any]:
        """Return a state's gradient where a step made it, and where the state was passed on."""
        on = self.goes_on(t)
        return (g, 0.0) if on is None else (g * on, g * ~on)


def _states_before(states: Any, first: Any, reverse: bool) -> Any:
    """Return the state before each time step, ``(T, N, H)``."""
    xp = backend_of(states)
    if reverse:
        return xp.concatenate([states[1:], first[None]])
    return xp.concatenate([first[None], states[:-1]])


def _weight_gradient(g: Any, before: Any) -> Any:
    """Return the sum over time of ``g^T h``, in the memory order of the weight."""
    count = math.prod(g.shape[:-1])
    return (before.reshape((count, before.shape[-1])).T @ g.reshape((count, g.shape[-1]))).T


def _check(gates: Any, weight: Any, parts: int, **states: Any) -> None:
    """Check the shapes of an op on sequences."""
    shown = f"gates {list(gates.shape)}, weight {list(weight.shape)}" + "".join(
        f", {name} {list(a.shape)}" for name, a in states.items()
    )
    if gates.ndim != 3 or gates.shape[2] % parts or len(gates) == 0:
        raise ValueError(f"{shown}: gates must be (T, N, {parts} H) with T from 1")
    size = gates.shape[2] // parts
    if weight.shape != (parts * size, size) or any(
        a.shape != (gates.shape[1], size) for a in states.values()
    ):
        wanted = f"({parts * size}, {size})"
        raise ValueError(f"{shown}: the weight must be {wanted}, a state (N, {size})")


# ---- simple -------------------------------------------------------------------------------------


def _rnn_shared(g: Any, y: Any, weight: Any, lengths: Any, nonlinearity: str, reverse: bool) -> Any:
    """Return the gradients of the gates and of the first state."""
    xp, dtype, y = backend_of(g), g.dtype, wide(y)
    weight = xp.ascontiguousarray(wide(weight))  # the products are 1.4x faster
    padding = _Padding(lengths)
    out = xp.empty(y.shape, y.dtype)
    dh: Any = 0.0
    for t in reversed(_order(len(y), reverse)):
        dh, passed = padding.split(dh + g[t], t)
        d = out[t]
        if nonlinearity == "relu":
            xp.multiply(dh, y[t] > 0, out=d)
        else:
            xp.multiply(dh, 1 - y[t] * y[t], out=d)
        dh = d @ weight + passed
    return out.astype(dtype, copy=False), dh


def _np_scan(step: Any, count: int, state: Any, lengths: Any, reverse: bool) -> Any:
    """Return the states of all time steps from a function of the step and the state."""
    rows: list[Any] = [None] * count
    for t in sorted(range(count), reverse=reverse):
        new = step(t, state)
        rows[t] = state = new if lengths is None else np.where((lengths > t)[:, None], new, state)
    return np.stack(rows)


def _np_rnn(
    gates: Any, weight: Any, h: Any, lengths: Any, nonlinearity: str = "tanh",
    reverse: bool = False,
) -> Any:  # fmt: skip
    act: Any = np.tanh if nonlinearity == "tanh" else lambda x: np.maximum(x, 0)
    return _np_scan(lambda t, h: act(gates[t] + h @ weight.T), len(gates), h, lengths, reverse)


def _some_lengths(rng: np.random.Generator) -> Any:
    return np.array([2, 4, 1])


# Against its meaning, forward + backward: 1.2x at T 50, N 32, H 128, 5x at 20, 8, 16
@fused(
    _rnn,
    cast="common",
    shared=_rnn_shared,
    gates=lambda g, shared: shared[0],
    weight=lambda g, shared, y, h, reverse: _weight_gradient(
        shared[0], _states_before(y, h, reverse)
    ),
    h=lambda g, shared: shared[1],
    hint=lambda shapes, options: None,
    facts=Facts(
        _np_rnn,
        [
            S((4, 3, 2), (2, 2), (3, 2), None),
            S((4, 3, 2), (2, 2), (3, 2), _some_lengths, reverse=True),
            S((4, 3, 2), (2, 2), (3, 2), _some_lengths),
            S((4, 3, 2), (2, 2), (3, 2), None, reverse=True),
            S((4, 3, 2), (2, 2), (3, 2), None, nonlinearity="relu"),
            S((1, 2, 1), (1, 1), (2, 1), None),
        ],
        kinks=(),
        torch="",
        formula="h[t] = tanh(gates[t] + h[t - 1] W^T)",
    ),
)
def rnn_sequence(
    xp: Backend,
    gates: Array,
    weight: Array,
    h: Array,
    lengths: IndexArray | None = None,
    nonlinearity: str = "tanh",
    reverse: bool = False,
) -> Array:
    """Run a simple recurrent layer: gates ``(T, N, H)``, weight ``(H, H)``, h ``(N, H)``.

    The gates are what the input gives. Returns the states ``(T, N, H)``. ``lengths`` ``(N,)`` are
    ints from 1 to T.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.recurrent import rnn_sequence
    >>> states = rnn_sequence(mg.zeros(5, 2, 3), mg.ones(3, 3), mg.zeros(2, 3))
    >>> states.shape
    (5, 2, 3)
    """
    _check(gates, weight, 1, h=h)
    padding = _Padding(lengths)
    y = wide(gates).copy()
    wt, state = wide(weight).T, wide(h)
    for t in _order(len(gates), reverse):
        row = y[t]
        row += state @ wt
        if nonlinearity == "relu":
            xp.maximum(row, 0, out=row)
        else:
            xp.tanh(row, out=row)
        on = padding.goes_on(t)
        if on is not None:
            row[...] = xp.where(on, row, state)
        state = row
    return y.astype(gates.dtype, copy=False)


# ---- LSTM ---------------------------------------------------------------------------------------


def _lstm_shared(g: Any, y: Any, weight: Any, c: Any, lengths: Any, reverse: bool, aux: Any) -> Any:
    """Return the gradients of the gates, of the first h and of the first c."""
    xp, dtype = backend_of(g), g.dtype
    a, tanh_c = aux
    y, weight, c = wide(y), xp.ascontiguousarray(wide(weight)), wide(c)
    size = c.shape[1]
    padding = _Padding(lengths)
    out = xp.empty(a.shape, a.dtype)
    dh: Any = 0.0
    dc: Any = 0.0
    for t in reversed(_order(len(a), reverse)):
        last = t + 1 if reverse else t - 1
        before = y[1, last] if 0 <= last < len(a) else c
        i, f, n, o = (a[t, :, k * size : (k + 1) * size] for k in range(4))
        dh, passed_h = padding.split(dh + g[0, t], t)
        dc, passed_c = padding.split(dc + g[1, t], t)
        th = tanh_c[t]
        inside = 1 - th * th
        inside *= o
        inside *= dh
        inside += dc
        slope = 1 - a[t]
        slope *= a[t]  # of a sigmoid s it is s (1 - s)
        slope[:, 2 * size : 3 * size] = 1 - n * n
        d = out[t]
        d[:, :size] = inside * n
        d[:, size : 2 * size] = inside * before
        d[:, 2 * size : 3 * size] = inside * i
        d[:, 3 * size :] = dh * th
        d *= slope
        dh, dc = d @ weight + passed_h, inside * f + passed_c
    return out.astype(dtype, copy=False), dh, dc


def _np_lstm(gates: Any, weight: Any, h: Any, c: Any, lengths: Any, reverse: bool = False) -> Any:
    def step(t: int, state: Any) -> Any:
        h, c = state
        i, f, g, o = np.split(gates[t] + h @ weight.T, 4, axis=1)
        i, f, o = (1 / (1 + np.exp(-x)) for x in (i, f, o))
        c = f * c + i * np.tanh(g)
        return np.stack([o * np.tanh(c), c])

    states = _np_scan(step, len(gates), np.stack([h, c]), lengths, reverse)
    return np.moveaxis(states, 1, 0)


# Against its meaning, forward + backward: 2x at T 50, N 32, H 128, 5x at 20, 8, 16
@fused(
    _lstm,
    cast="common",
    aux=True,
    shared=_lstm_shared,
    gates=lambda g, shared: shared[0],
    weight=lambda g, shared, y, h, reverse: _weight_gradient(
        shared[0], _states_before(y[0], h, reverse)
    ),
    h=lambda g, shared: shared[1],
    c=lambda g, shared: shared[2],
    hint=lambda shapes, options: None,
    facts=Facts(
        _np_lstm,
        [
            S((4, 3, 8), (8, 2), (3, 2), (3, 2), None),
            S((4, 3, 8), (8, 2), (3, 2), (3, 2), _some_lengths, reverse=True),
            S((4, 3, 8), (8, 2), (3, 2), (3, 2), _some_lengths),
            S((4, 3, 8), (8, 2), (3, 2), (3, 2), None, reverse=True),
            S((1, 2, 4), (4, 1), (2, 1), (2, 1), None),
        ],
        torch="",
        formula="c[t] = f c[t - 1] + i g, h[t] = o tanh(c[t]); i, f, o sigmoids, g tanh of gates",
    ),
)
def lstm_sequence(
    xp: Backend,
    gates: Array,
    weight: Array,
    h: Array,
    c: Array,
    lengths: IndexArray | None = None,
    reverse: bool = False,
) -> tuple[Array, Any]:
    """Run an LSTM: gates ``(T, N, 4H)`` (i, f, g, o), weight ``(4H, H)``, h and c ``(N, H)``.

    The gates are what the input gives. Returns ``(2, T, N, H)``: all h, and all c. ``lengths``
    ``(N,)`` are ints from 1 to T.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997;
    with the forget gate of F. Gers et al., "Learning to Forget", Neural Computation 12(10), 2000.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.recurrent import lstm_sequence
    >>> h = c = mg.zeros(2, 3)
    >>> lstm_sequence(mg.zeros(5, 2, 12), mg.ones(12, 3), h, c).shape
    (2, 5, 2, 3)
    """
    _check(gates, weight, 4, h=h, c=c)
    padding = _Padding(lengths)
    count, batch, width = gates.shape
    size = width // 4
    # sigmoid(x) = tanh(x / 2) / 2 + 1 / 2, so one tanh serves all four gates
    half = xp.full((width,), 0.5, wide(gates).dtype)
    half[2 * size : 3 * size] = 1
    rest = 1 - half
    a = wide(gates) * half
    wt = wide(weight).T * half
    y = xp.empty((2, count, batch, size), a.dtype)
    tanh_c = xp.empty((count, batch, size), a.dtype)
    h, c = wide(h), wide(c)
    for t in _order(count, reverse):
        row = a[t]
        row += h @ wt
        xp.tanh(row, out=row)
        row *= half
        row += rest
        i, f, g, o = (row[:, k * size : (k + 1) * size] for k in range(4))
        new_h, new_c = y[0, t], y[1, t]
        xp.multiply(f, c, out=new_c)
        new_c += i * g
        xp.tanh(new_c, out=tanh_c[t])
        xp.multiply(o, tanh_c[t], out=new_h)
        on = padding.goes_on(t)
        if on is not None:
            new_h[...] = xp.where(on, new_h, h)
            new_c[...] = xp.where(on, new_c, c)
        h, c = new_h, new_c
    return y.astype(gates.dtype, copy=False), (a, tanh_c)


# ---- GRU ----------------------------------------------------------------------------------------


def _gru_shared(g: Any, y: Any, weight: Any, h: Any, lengths: Any, reverse: bool, aux: Any) -> Any:
    """Return the gradients of the gates, of what the state adds to them, and of the first state."""
    xp, dtype = backend_of(g), g.dtype
    a, hidden_n = aux
    y, weight, h = wide(y), xp.ascontiguousarray(wide(weight)), wide(h)
    size = h.shape[1]
    padding = _Padding(lengths)
    inner, outer = xp.empty(a.shape, a.dtype), xp.empty(a.shape, a.dtype)
    dh: Any = 0.0
    for t in reversed(_order(len(a), reverse)):
        last = t + 1 if reverse else t - 1
        before = y[last] if 0 <= last < len(a) else h
        r, z, n = (a[t, :, k * size : (k + 1) * size] for k in range(3))
        dh, passed = padding.split(dh + g[t], t)
        d = inner[t]
        dn = dh * (1 - z)
        dn *= 1 - n * n
        d[:, :size] = dn * hidden_n[t]
        d[:, size : 2 * size] = dh * (before - n)
        slope = 1 - a[t, :, : 2 * size]
        slope *= a[t, :, : 2 * size]
        d[:, : 2 * size] *= slope
        d[:, 2 * size :] = dn * r
        outer[t, :, 2 * size :] = dn
        dh = d @ weight + dh * z + passed
    outer[:, :, : 2 * size] = inner[:, :, : 2 * size]
    return outer.astype(dtype, copy=False), inner.astype(dtype, copy=False), dh


def _np_gru(gates: Any, weight: Any, bias: Any, h: Any, lengths: Any, reverse: bool = False) -> Any:
    def step(t: int, h: Any) -> Any:
        own = np.split(h @ weight.T + (0 if bias is None else bias), 3, axis=1)
        r, z, n = np.split(gates[t], 3, axis=1)
        r, z = (1 / (1 + np.exp(-x)) for x in (r + own[0], z + own[1]))
        return (1 - z) * np.tanh(n + r * own[2]) + z * h

    return _np_scan(step, len(gates), h, lengths, reverse)


# Against its meaning, forward + backward: 1.9x at T 50, N 32, H 128, 4x at 20, 8, 16
@fused(
    _gru,
    cast="common",
    aux=True,
    shared=_gru_shared,
    gates=lambda g, shared: shared[0],
    weight=lambda g, shared, y, h, reverse: _weight_gradient(
        shared[1], _states_before(y, h, reverse)
    ),
    bias=lambda g, shared: shared[1],  # the engine sums it over time and batch
    h=lambda g, shared: shared[2],
    hint=lambda shapes, options: None,
    facts=Facts(
        _np_gru,
        [
            S((4, 3, 6), (6, 2), (6,), (3, 2), None),
            S((4, 3, 6), (6, 2), (6,), (3, 2), _some_lengths, reverse=True),
            S((4, 3, 6), (6, 2), None, (3, 2), _some_lengths),
            S((4, 3, 6), (6, 2), (6,), (3, 2), None, reverse=True),
            S((1, 2, 3), (3, 1), (3,), (2, 1), None),
        ],
        torch="",
        formula="h[t] = (1 - z) n + z h[t - 1], n = tanh(gates_n + r (W_n h[t - 1] + b_n))",
    ),
)
def gru_sequence(
    xp: Backend,
    gates: Array,
    weight: Array,
    bias: Array | None,
    h: Array,
    lengths: IndexArray | None = None,
    reverse: bool = False,
) -> tuple[Array, Any]:
    """Run a GRU: gates ``(T, N, 3H)`` (r, z, n), weight ``(3H, H)``, bias ``(3H,)``, h ``(N, H)``.

    The gates are what the input gives. Returns the states ``(T, N, H)``. ``lengths`` ``(N,)`` are
    ints from 1 to T. As in torch, r acts after the product with the weight (version 1 of
    arXiv:1406.1078 has it before).

    References
    ----------
    K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", EMNLP 2014.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.recurrent import gru_sequence
    >>> gru_sequence(mg.zeros(5, 2, 9), mg.ones(9, 3), None, mg.zeros(2, 3)).shape
    (5, 2, 3)
    """
    _check(gates, weight, 3, h=h)
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"the bias is {list(bias.shape)}, it must be [{weight.shape[0]}]")
    padding = _Padding(lengths)
    size = gates.shape[2] // 3
    a = wide(gates).copy()
    wt, state = wide(weight).T, wide(h)
    bias = None if bias is None else wide(bias)
    y = xp.empty((*a.shape[:2], size), a.dtype)
    hidden_n = xp.empty(y.shape, a.dtype)
    for t in _order(len(a), reverse):
        own = state @ wt
        if bias is not None:
            own += bias
        hidden_n[t] = own[:, 2 * size :]
        two, n = a[t, :, : 2 * size], a[t, :, 2 * size :]
        two += own[:, : 2 * size]
        two *= 0.5  # sigmoid(x) = tanh(x / 2) / 2 + 1 / 2
        xp.tanh(two, out=two)
        two *= 0.5
        two += 0.5
        n += two[:, :size] * hidden_n[t]
        xp.tanh(n, out=n)
        new = y[t]
        xp.subtract(state, n, out=new)
        new *= two[:, size:]
        new += n
        on = padding.goes_on(t)
        if on is not None:
            new[...] = xp.where(on, new, state)
        state = new
    return y.astype(gates.dtype, copy=False), (a, hidden_n)
