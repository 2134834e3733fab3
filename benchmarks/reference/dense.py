"""A perceptron's training step with fixed buffers: no array is made after the first step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.libraries import initial
from benchmarks.reference.flat import OPTIMISERS, flatten, scalar
from benchmarks.reference.loss import CrossEntropy


def numpy_perceptron(
    network: Callable[..., Any],
    data: Callable[..., Any],
    kind: str,
    settings: dict[str, float],
    **sizes: Any,
) -> Callable[[], float]:
    """Return the step; weights are kept (inputs, outputs), the faster way round."""
    values = initial(network, **sizes)
    p, views = flatten([v.T if v.ndim == 2 else v for v in values])
    g, grads = flatten([np.zeros_like(v.T if v.ndim == 2 else v) for v in values])
    weights, biases, weight_grads, bias_grads = views[::2], views[1::2], grads[::2], grads[1::2]
    update = OPTIMISERS[kind](p, g, **settings)
    x, target = data(np.random.default_rng(1), **sizes)
    n, last = len(x), len(weights) - 1
    outputs = [np.empty((n, w.shape[1]), np.float32) for w in weights]
    deltas = [np.empty_like(o) for o in outputs[:-1]]
    signs = [np.empty(o.shape, bool) for o in outputs[:-1]]
    ones, zero = np.ones(n, np.float32), scalar(0)
    cross_entropy = CrossEntropy(target, outputs[-1].shape[1], n)
    dropout = sizes.get("dropout", 0.0)
    rng = np.random.Generator(np.random.SFC64(2))
    below, scale = round(dropout * 65536), scalar(1 / (1 - dropout))

    def step() -> float:
        h = x
        for i, (w, b, y) in enumerate(zip(weights, biases, outputs, strict=True)):
            np.matmul(h, w, y)
            np.add(y, b, y)
            if i < last:
                np.maximum(y, zero, out=y)
                if dropout:
                    drawn = rng.integers(0, 65536, y.shape, np.uint16)
                    np.multiply(y, np.greater_equal(drawn, below, signs[i]), y)
                    np.multiply(y, scale, y)
            h = y
        loss = cross_entropy(h)
        d = h
        for i in range(last, -1, -1):
            np.matmul((outputs[i - 1] if i else x).T, d, weight_grads[i])
            np.matmul(ones, d, bias_grads[i])
            if i:
                before = deltas[i - 1]
                np.matmul(d, weights[i].T, before)
                # what dropout dropped is 0 as well
                np.multiply(before, np.greater(outputs[i - 1], zero, signs[i - 1]), before)
                if dropout:
                    np.multiply(before, scale, before)
                d = before
        update()
        return loss

    return step
