"""W4's training step: channels last, windows copied for one product, tiles of a few images.

The batch is shared among threads; each keeps its own buffers and gradients, which are summed.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.libraries import initial
from benchmarks.reference.flat import flatten, scalar, sgd
from benchmarks.reference.loss import CrossEntropy

TILE = 8  # images: their windows stay in the cache
ZERO = scalar(0)


class _Stage:
    """Convolution 3x3, 2x2 max pooling, ReLU (which commute), for one tile at a time."""

    def __init__(self, images: int, side: int, channels: int, filters: int) -> None:
        tile = min(TILE, images)
        half = side // 2
        self.padded = np.zeros((images, side + 2, side + 2, channels), np.float32)
        self.inside = self.padded[:, 1:-1, 1:-1]
        windows = sliding_window_view(self.padded, (3, 3), axis=(1, 2))
        self.windows = windows.transpose(0, 1, 2, 4, 5, 3)  # image, row, column, 3, 3, channel
        self.columns = np.empty((tile, side, side, 3, 3, channels), np.float32)
        self.maps = np.empty((images, side, side, filters), np.float32)
        self.pairs = np.empty((tile, half, side, filters), np.float32)
        self.pooled = np.empty((images, half, half, filters), np.float32)
        self.delta = np.empty((tile, side, side, filters), np.float32)
        self.chosen = np.empty((tile, half, half, filters), bool)
        self.padded_delta = np.empty((tile, side + 2, side + 2, channels), np.float32)
        self.ones = np.ones(tile * side * side, np.float32)
        self.inner, self.filters = 9 * channels, filters

    def forward(self, s: slice, w: np.ndarray, b: np.ndarray) -> None:
        n = s.stop - s.start
        columns = self.columns[:n]
        np.copyto(columns, self.windows[s])
        maps = self.maps[s]
        np.matmul(columns.reshape(-1, self.inner), w, maps.reshape(-1, self.filters))
        pairs = np.maximum(maps[:, ::2], maps[:, 1::2], out=self.pairs[:n])
        pooled = np.maximum(pairs[:, :, ::2], pairs[:, :, 1::2], out=self.pooled[s])
        np.add(pooled, b, pooled)  # of the maximum alone: a quarter of the additions
        np.maximum(pooled, ZERO, out=pooled)

    def backward(
        self, s: slice, g: np.ndarray, w: np.ndarray, b: np.ndarray, to_input: bool,
        weight_grad: np.ndarray, bias_grad: np.ndarray,
    ) -> np.ndarray | None:  # fmt: skip
        """Add the parameters' gradients for g (it is changed), return the input's."""
        n = s.stop - s.start
        maps, pooled, delta, chosen = self.maps[s], self.pooled[s], self.delta[:n], self.chosen[:n]
        np.multiply(g, np.greater(pooled, ZERO, chosen), g)
        pairs = np.maximum(maps[:, ::2], maps[:, 1::2], out=self.pairs[:n])
        top = np.maximum(pairs[:, :, ::2], pairs[:, :, 1::2], out=pooled)  # without b and ReLU
        for i in (0, 1):
            for j in (0, 1):
                np.equal(maps[:, i::2, j::2], top, chosen)
                np.multiply(chosen, g, delta[:, i::2, j::2])
        d = delta.reshape(-1, self.filters)
        columns = self.columns[:n]
        np.copyto(columns, self.windows[s])
        flat = columns.reshape(-1, self.inner)
        weight_grad += flat.T @ d
        bias_grad += self.ones[: len(d)] @ d
        if not to_input:
            return None
        np.matmul(d, w.T, flat)
        out = self.padded_delta[:n]
        out[...] = 0
        side = maps.shape[1]
        for i in range(3):
            for j in range(3):
                window = out[:, i : i + side, j : j + side]
                np.add(window, columns[:, :, :, i, j], window)
        return out[:, 1:-1, 1:-1]


class _Part:
    """One thread's share of the batch."""

    def __init__(
        self, x: np.ndarray, target: np.ndarray, whole: int, views: list[np.ndarray], like: Any
    ) -> None:
        n, side = x.shape[:2]
        self.n, self.views = n, views
        self.first = _Stage(n, side, 3, 32)
        self.second = _Stage(n, side // 2, 32, 64)
        self.first.inside[...] = x
        self.flat, self.grads = flatten([np.zeros_like(v) for v in like])
        self.hidden = np.empty((n, 128), np.float32)
        self.logits = np.empty((n, 10), np.float32)
        self.hidden_delta = np.empty_like(self.hidden)
        self.features_delta = np.empty_like(self.second.pooled)
        self.ones = np.ones(n, np.float32)
        self.cross_entropy = CrossEntropy(target, 10, whole)

    def run(self) -> float:
        w1, b1, w2, b2, w3, b3, w4, b4 = self.views
        g1, gb1, g2, gb2, g3, gb3, g4, gb4 = self.grads
        tiles = [slice(i, min(i + TILE, self.n)) for i in range(0, self.n, TILE)]
        for s in tiles:
            self.first.forward(s, w1, b1)
            np.copyto(self.second.inside[s], self.first.pooled[s])
            self.second.forward(s, w2, b2)
        features = self.second.pooled.reshape(self.n, -1)
        hidden = np.matmul(features, w3, self.hidden)
        np.add(hidden, b3, hidden)
        np.maximum(hidden, ZERO, out=hidden)
        d = np.matmul(hidden, w4, self.logits)
        np.add(d, b4, d)
        loss = self.cross_entropy(d)
        np.matmul(hidden.T, d, g4)
        np.matmul(self.ones, d, gb4)
        dh = np.matmul(d, w4.T, self.hidden_delta)
        np.multiply(dh, hidden > ZERO, dh)
        np.matmul(features.T, dh, g3)
        np.matmul(self.ones, dh, gb3)
        np.matmul(dh, w3.T, self.features_delta.reshape(self.n, -1))
        for g in (g1, gb1, g2, gb2):
            g[...] = 0
        for s in tiles:
            d2 = self.second.backward(s, self.features_delta[s], w2, b2, True, g2, gb2)
            self.first.backward(s, np.ascontiguousarray(d2), w1, b1, False, g1, gb1)
        return loss


def numpy_cnn(
    network: Callable[..., Any],
    data: Callable[..., Any],
    rate: float,
    *,
    threads: int = 1,
    **sizes: Any,
) -> Callable[[], float]:
    """Return the step; BLAS must have one thread where ``threads`` is more."""
    x, target = data(np.random.default_rng(1), **sizes)
    side = sizes["side"] // 4
    values = [_turned(v, side) for v in initial(network, **sizes)]
    p, views = flatten(values)
    shares = np.array_split(np.arange(len(x)), min(threads, len(x)))
    parts = [_Part(x[i].transpose(0, 2, 3, 1), target[i], len(x), views, values) for i in shares]
    total = parts[0].flat
    update = sgd(p, total, rate)
    pool = ThreadPoolExecutor(len(parts))

    def step() -> float:
        losses = list(pool.map(_Part.run, parts))
        for part in parts[1:]:
            np.add(total, part.flat, total)
        update()
        return sum(losses)

    return step


def _turned(value: np.ndarray, side: int) -> np.ndarray:
    """Return a parameter as it is used here: inputs first, and channels last among them."""
    if value.ndim == 4:
        return value.transpose(2, 3, 1, 0).reshape(-1, value.shape[0])
    if value.ndim == 2 and value.shape[1] == 64 * side * side:
        return value.reshape(-1, 64, side, side).transpose(2, 3, 1, 0).reshape(-1, len(value))
    return value.T
