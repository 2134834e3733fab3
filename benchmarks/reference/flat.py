"""Parameters and gradients in two flat buffers, and optimisers that go over them in chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

CHUNK = 65536  # elements: parameter, gradient, state and scratch stay in the cache


def flatten(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return one buffer with the arrays' values, and views of it with their shapes."""
    flat = np.concatenate([a.ravel() for a in arrays]).astype(np.float32)
    ends = np.cumsum([a.size for a in arrays])
    return flat, [flat[e - a.size : e].reshape(a.shape) for a, e in zip(arrays, ends, strict=True)]


def scalar(value: float) -> np.ndarray:
    """Return a 0-d array, which a ufunc takes faster than a Python number."""
    return np.array(value, np.float32)


def chunks(*arrays: np.ndarray) -> list[tuple[np.ndarray, ...]]:
    """Return the arrays' parts, chunk by chunk."""
    size = arrays[0].size
    return [tuple(a[i : i + CHUNK] for a in arrays) for i in range(0, size, CHUNK)]


def adam(p: np.ndarray, g: np.ndarray, lr: float) -> Callable[[], None]:
    """Return Adam's update of p by g; the moments are kept divided by 1 - beta: 10 ufuncs."""
    beta1, beta2, eps = 0.9, 0.999, 1e-8
    m, v = np.zeros_like(p), np.zeros_like(p)
    scratch = np.empty(min(p.size, CHUNK), np.float32)
    parts = [(*part, scratch[: part[0].size]) for part in chunks(p, g, m, v)]
    b1, b2, e, c = scalar(beta1), scalar(beta2), scalar(0), scalar(0)
    step = 0

    def update() -> None:
        nonlocal step
        step += 1
        scale = ((1 - beta2) / (1 - beta2**step)) ** 0.5
        e[...] = eps / scale
        c[...] = lr * (1 - beta1) / (1 - beta1**step) / scale
        for p, g, m, v, t in parts:
            np.multiply(m, b1, m)
            np.add(m, g, m)
            np.multiply(g, g, t)
            np.multiply(v, b2, v)
            np.add(v, t, v)
            np.sqrt(v, t)
            np.add(t, e, t)
            np.divide(m, t, t)
            np.multiply(t, c, t)
            np.subtract(p, t, p)

    return update


def sgd(p: np.ndarray, g: np.ndarray, lr: float, momentum: float = 0.0) -> Callable[[], None]:
    """Return the update of gradient descent, with momentum if it is not 0."""
    velocity = np.zeros_like(p) if momentum else g
    scratch = np.empty(min(p.size, CHUNK), np.float32)
    parts = [(*part, scratch[: part[0].size]) for part in chunks(p, g, velocity)]
    rate, mu = scalar(lr), scalar(momentum)

    def update() -> None:
        for p, g, velocity, t in parts:
            if momentum:
                np.multiply(velocity, mu, velocity)
                np.add(velocity, g, velocity)
            np.multiply(velocity, rate, t)
            np.subtract(p, t, p)

    return update


OPTIMISERS = {"adam": adam, "sgd": sgd}
