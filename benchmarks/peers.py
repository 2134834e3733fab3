"""W1, W2, W7 and W8 in autograd, JAX and MyGrad, where they can be written in a few lines.

autograd and MyGrad have no optimisers: theirs are plain in-place NumPy, one parameter at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.libraries import initial
from benchmarks.workload import Step

Compute = Callable[..., Any]


def perceptron_peers(
    network: Compute, data: Compute, kind: str, settings: dict[str, float]
) -> dict[str, Callable[..., Step]]:
    """Return the contenders of a perceptron's training step."""
    given = (network, data, kind, settings)
    return {
        "autograd": partial(_autograd_perceptron, *given),
        "jax": partial(_jax_perceptron, *given),
        "mygrad": partial(_mygrad_perceptron, *given),
    }


def function_peers(compute: Compute, arrays: Compute) -> dict[str, Callable[..., Step]]:
    """Return the contenders of ``compute(np, x, *constants, **sizes)``, forward and backward."""
    return {
        "autograd": partial(_autograd_function, compute, arrays),
        "jax": partial(_jax_function, compute, arrays),
        "mygrad": partial(_mygrad_function, compute, arrays),
    }


# ---- what they share --------------------------------------------------------------------------


def _loss(np: Any, parameters: Any, x: Any, one_hot: Any, masks: Any) -> Any:
    """Return the cross-entropy of a perceptron in the words of ``np``."""
    *hidden, (w, b) = zip(parameters[::2], parameters[1::2], strict=True)
    for i, (w_i, b_i) in enumerate(hidden):
        x = np.maximum(x @ w_i.T + b_i, 0)
        if masks:
            x = x * masks[i]
    z = x @ w.T + b
    z = z - z.max(axis=1, keepdims=True)
    return (np.log(np.exp(z).sum(axis=1)) - (z * one_hot).sum(axis=1)).mean()


def _masks(rng: np.random.Generator, x: np.ndarray, widths: Any, p: float) -> list[np.ndarray]:
    """Return inverted dropout masks for the hidden layers (none without dropout)."""
    if not p:
        return []
    shapes = [(len(x), m) for m in widths[1:-1]]
    return [(rng.random(s, np.float32) >= p).astype(np.float32) / np.float32(1 - p) for s in shapes]


def _one_hot(target: np.ndarray, classes: int) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[target]


class _Update:
    """SGD with momentum or Adam, over lists of arrays in place."""

    def __init__(self, kind: str, lr: float, momentum: float = 0.0) -> None:
        self.kind, self.lr, self.momentum = kind, lr, momentum
        self.first: list[np.ndarray] = []
        self.second: list[np.ndarray] = []
        self.steps = 0

    def __call__(self, parameters: list[np.ndarray], grads: list[Any]) -> None:
        if not self.first:
            self.first = [np.zeros_like(p) for p in parameters]
            self.second = [np.zeros_like(p) for p in parameters]
        self.steps += 1
        for p, g, m, v in zip(parameters, grads, self.first, self.second, strict=True):
            if self.kind == "sgd":
                m *= self.momentum
                m += g
                p -= self.lr * m
                continue
            m *= 0.9
            m += 0.1 * g
            v *= 0.999
            v += 0.001 * (g * g)
            root = np.sqrt(v / (1 - 0.999**self.steps)) + 1e-8
            p -= self.lr / (1 - 0.9**self.steps) * m / root


def _problem(network: Compute, data: Compute, sizes: dict[str, Any]) -> tuple[Any, Any, Any]:
    x, target = data(np.random.default_rng(1), **sizes)
    return initial(network, **sizes), x, target


# ---- autograd ---------------------------------------------------------------------------------


def _autograd_perceptron(
    network: Compute, data: Compute, kind: str, settings: dict[str, float], **sizes: Any
) -> Step:
    import autograd
    import autograd.numpy as anp

    parameters, x, target = _problem(network, data, sizes)
    one_hot = _one_hot(target, sizes["widths"][-1])
    update, rng = _Update(kind, **settings), np.random.default_rng(2)
    both = autograd.value_and_grad(lambda p, masks: _loss(anp, p, x, one_hot, masks))

    def step() -> float:
        masks = _masks(rng, x, sizes["widths"], sizes.get("dropout", 0.0))
        loss, grads = both(parameters, masks)
        update(parameters, grads)
        return float(loss)

    return step


def _autograd_function(compute: Compute, arrays: Compute, **sizes: Any) -> Step:
    import autograd
    import autograd.numpy as anp

    x, *constants, v = arrays(np.random.default_rng(1), **sizes)

    def step() -> float:
        back, y = autograd.make_vjp(lambda x: compute(anp, x, *constants, **sizes))(x)
        return float(np.ravel(y)[0] + back(v)[0])

    return step


# ---- JAX --------------------------------------------------------------------------------------


def _jax_perceptron(
    network: Compute, data: Compute, kind: str, settings: dict[str, float], **sizes: Any
) -> Step:
    import jax
    import jax.numpy as jnp

    parameters, x, target = _problem(network, data, sizes)
    one_hot, p = _one_hot(target, sizes["widths"][-1]), sizes.get("dropout", 0.0)
    shapes = [(len(x), m) for m in sizes["widths"][1:-1]] if p else []
    lr, momentum = settings["lr"], settings.get("momentum", 0.0)

    @jax.jit
    def train(state: Any, x: Any, one_hot: Any) -> Any:
        parameters, first, second, steps, key = state
        key, *keys = jax.random.split(key, 1 + len(shapes))
        masks = [
            jax.random.bernoulli(k, 1 - p, s) / (1 - p) for k, s in zip(keys, shapes, strict=True)
        ]
        loss, grads = jax.value_and_grad(lambda q: _loss(jnp, q, x, one_hot, masks))(parameters)
        steps = steps + 1
        if kind == "sgd":
            first = [momentum * m + g for m, g in zip(first, grads, strict=True)]
            change = [lr * m for m in first]
        else:
            first = [0.9 * m + 0.1 * g for m, g in zip(first, grads, strict=True)]
            second = [0.999 * v + 0.001 * g * g for v, g in zip(second, grads, strict=True)]
            decayed1, decayed2 = (-jnp.expm1(steps * np.log(b)) for b in (0.9, 0.999))
            change = [
                lr / decayed1 * m / (jnp.sqrt(v / decayed2) + 1e-8)
                for m, v in zip(first, second, strict=True)
            ]
        parameters = [q - c for q, c in zip(parameters, change, strict=True)]
        return (parameters, first, second, steps, key), loss

    zeros = [jnp.zeros_like(q) for q in parameters]
    state = ([jnp.asarray(q) for q in parameters], zeros, zeros, jnp.float32(0), jax.random.key(0))
    inputs = jnp.asarray(x), jnp.asarray(one_hot)

    def step() -> float:
        nonlocal state
        state, loss = train(state, *inputs)
        return float(loss)

    return step


def _jax_function(compute: Compute, arrays: Compute, **sizes: Any) -> Step:
    import jax
    import jax.numpy as jnp

    x, *constants, v = (jnp.asarray(a) for a in arrays(np.random.default_rng(1), **sizes))

    @jax.jit
    def both(x: Any, constants: Any, v: Any) -> Any:
        y, back = jax.vjp(lambda x: compute(jnp, x, *constants, **sizes), x)
        return y, back(v)[0]

    def step() -> float:
        y, grad = both(x, constants, v)
        return float(y.ravel()[0]) + float(grad.block_until_ready()[0])

    return step


# ---- MyGrad -----------------------------------------------------------------------------------


def _mygrad_perceptron(
    network: Compute, data: Compute, kind: str, settings: dict[str, float], **sizes: Any
) -> Step:
    import mygrad
    from mygrad.nnet.activations import relu
    from mygrad.nnet.losses import softmax_crossentropy

    values, x, target = _problem(network, data, sizes)
    parameters = [mygrad.tensor(p) for p in values]
    update, rng = _Update(kind, **settings), np.random.default_rng(2)

    def step() -> float:
        h: Any = x
        masks = _masks(rng, x, sizes["widths"], sizes.get("dropout", 0.0))
        for i in range(0, len(parameters), 2):
            h = mygrad.matmul(h, parameters[i].T) + parameters[i + 1]
            if i < len(parameters) - 2:
                h = relu(h)
                h = h * masks[i // 2] if masks else h
        loss = softmax_crossentropy(h, target)
        loss.backward()
        update([p.data for p in parameters], [p.grad for p in parameters])
        for p in parameters:
            p.null_grad()
        return float(loss)

    return step


def _mygrad_function(compute: Compute, arrays: Compute, **sizes: Any) -> Step:
    import mygrad

    start, *constants, v = arrays(np.random.default_rng(1), **sizes)
    x = mygrad.tensor(start)

    def step() -> float:
        x.null_grad()
        y = compute(mygrad, x, *constants, **sizes)
        y.backward(v)
        return float(y.data.ravel()[0] + x.grad[0])

    return step
