"""Ops that a GPU has kernels for, written by hand: rows wider than a block, odd windows, extremes.

The table of ops tests them on a few elements (tests/ops); a block has 256 threads. The same tests
run on NumPy, which has no such kernels.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from support.checks import host

import minigrad as mg
from minigrad import nn
from minigrad.engine.backward import gradients

EPS = {"float16": 1e-3, "float32": 1.2e-7, "float64": 2.3e-16}
WIDTHS = [1, 2, 31, 33, 255, 256, 257, 1000]


def put(values: Any, device: str, **options: Any) -> mg.Tensor:
    return mg.tensor(np.asarray(values), device=device, **options)


def close(found: Any, wanted: Any, dtype: str, factor: float = 32.0) -> None:
    """Compare with a tolerance in units of the dtype's resolution at the largest element."""
    wanted = np.asarray(wanted, np.float64)
    scale = max(1e-30, float(np.abs(np.nan_to_num(wanted, posinf=0, neginf=0)).max(initial=0)))
    np.testing.assert_allclose(host(found), wanted, rtol=0, atol=factor * EPS[dtype] * scale)


def log_softmax(x: Any) -> Any:
    z = x - x.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize("classes", WIDTHS)
def test_cross_entropy(classes: int, dtype: str, backend: str) -> None:
    rng = np.random.default_rng(classes)
    x = (rng.standard_normal((7, classes)) * 3).astype(dtype)
    labels = rng.integers(0, classes, 7)
    labels[2] = -100
    weight = rng.random(classes).astype(dtype) + np.asarray(0.1, dtype)
    used = labels != -100
    logp = log_softmax(x.astype(np.float64))
    for smoothing, w in itertools.product((0.0, 0.1), (None, weight)):
        scores = put(x, backend, requires_grad=True)
        loss = mg.cross_entropy(
            scores, put(labels, backend), None if w is None else put(w, backend),
            label_smoothing=smoothing,
        )  # fmt: skip
        loss.backward(put(np.asarray(0.7, dtype), backend))
        v = np.ones(classes) if w is None else w.astype(np.float64)
        one_hot = np.eye(classes)[np.where(used, labels, 0)]
        goal = ((1 - smoothing) * one_hot + smoothing / classes) * v * used[:, None]
        total = (one_hot @ v * used).sum()
        close(loss, -(goal * logp).sum() / total, dtype)
        slope = (np.exp(logp) * goal.sum(axis=1, keepdims=True) - goal) / total
        close(scores.grad, 0.7 * slope, dtype)


def test_cross_entropy_at_extremes(backend: str) -> None:
    x = np.array([[1e4, -1e4, 0.0], [-np.inf, 0.0, 0.0], [1e38, 1e38, -1e38]], np.float32)
    scores = put(x, backend, requires_grad=True)
    losses = mg.cross_entropy(scores, put([0, 1, 0], backend), reduction="none")
    losses.backward(put(np.ones(3, np.float32), backend))
    np.testing.assert_allclose(host(losses), [0, np.log(2), np.log(2)], rtol=1e-6)
    slopes = [[0, 0, 0], [0, -0.5, 0.5], [-0.5, 0.5, 0]]
    np.testing.assert_allclose(host(scores.grad), slopes, atol=1e-6)
    zeros = put(np.zeros((3, 3), np.float32), backend, requires_grad=True)
    nothing = mg.cross_entropy(zeros, put([-100, -100, -100], backend))
    assert np.isnan(nothing.item())
    nothing.backward()
    assert not host(zeros.grad).any()
    empty = mg.cross_entropy(
        put(np.zeros((0, 3), np.float32), backend), put(np.zeros(0, int), backend)
    )
    assert np.isnan(empty.item())
    with pytest.raises(IndexError, match="labels go from 0 to 3"):
        mg.cross_entropy(scores, put([0, 3, 1], backend))


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize("rows", [1, 3, 300])
@pytest.mark.parametrize("width", [1, 33, 257])
def test_layer_norm(width: int, rows: int, dtype: str, backend: str) -> None:
    rng = np.random.default_rng(width)
    arrays = [rng.standard_normal(s).astype(dtype) for s in ((rows, width), (width,), (width,))]
    g = rng.standard_normal((rows, width)).astype(dtype)
    x, w, b = (put(a, backend, requires_grad=True) for a in arrays)
    y = mg.layer_norm(x, (width,), w, b, eps=0.1)
    y.backward(put(g, backend))
    v, s, shift = (a.astype(np.float64) for a in arrays)
    root = np.sqrt(v.var(axis=1, keepdims=True) + 0.1)
    n = (v - v.mean(axis=1, keepdims=True)) / root
    close(y, n * s + shift, dtype)
    a = g * s
    slope = a - a.mean(axis=1, keepdims=True) - n * (a * n).mean(axis=1, keepdims=True)
    close(x.grad, slope / root, dtype, 64)
    close(w.grad, (g * n).sum(axis=0), dtype, 64 if dtype != "float16" else 8)
    close(b.grad, g.astype(np.float64).sum(axis=0), dtype, 64)


def test_layer_norm_beside_a_large_mean(backend: str) -> None:
    """The distances from the mean are squared, not the numbers: 1000 and a little keep 3 digits."""
    rng = np.random.default_rng(0)
    x = (1000 + rng.standard_normal((2, 300))).astype(np.float32)
    v = x.astype(np.float64)
    wanted = (v - v.mean(axis=1, keepdims=True)) / v.std(axis=1, keepdims=True)
    found = host(mg.layer_norm(put(x, backend), (300,), eps=0.0))
    np.testing.assert_allclose(found, wanted, atol=2e-3)


MASKS = {
    "none": lambda rng, rows, width: None,
    "bool": lambda rng, rows, width: rng.random((rows, width)) < 0.5,
    "row": lambda rng, rows, width: rng.random((1, width)) < 0.5,
    "nothing": lambda rng, rows, width: np.zeros((rows, width), bool),
    "added": lambda rng, rows, width: rng.standard_normal((rows, 1)).astype(np.float32),
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("width", [1, 33, 300])
def test_attention_weights(width: int, mask: str, backend: str) -> None:
    from minigrad.ops.attention import masked_softmax

    rng = np.random.default_rng(width)
    x = (rng.standard_normal((2, 3, width)) * 20).astype(np.float32)
    keep = MASKS[mask](rng, 3, width)
    scores = put(x, backend, requires_grad=True)
    y = masked_softmax(scores, None if keep is None else put(keep, backend))
    g = rng.standard_normal(x.shape).astype(np.float32)
    y.backward(put(g, backend))
    z = x.astype(np.float64)
    if keep is not None:
        z = np.where(keep, z, -np.inf) if keep.dtype == bool else z + keep
    e = np.exp(z - np.maximum(z.max(axis=-1, keepdims=True), -1e300))
    e /= np.maximum(e.sum(axis=-1, keepdims=True), 1e-300)
    close(y, e, "float32")
    close(scores.grad, e * (g - (g * e).sum(axis=-1, keepdims=True)), "float32")


@pytest.mark.parametrize("last", [False, True], ids=["planes", "channels-last"])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"),
    [(2, 2, 0, 1), (3, 2, 1, 1), ((3, 2), (1, 3), (1, 0), (2, 1)), (3, 1, 1, 2)],
)
def test_pooling(
    kernel: Any, stride: Any, padding: Any, dilation: Any, last: bool, backend: str
) -> None:
    """Forward, backward and the places, beside the definition on the host."""
    rng = np.random.default_rng(3)
    x = rng.integers(-3, 3, (2, 3, 9, 8)).astype(np.float32)  # many equal elements
    x[0, 1, 4, 4] = np.nan
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    results = []
    for device in ("cpu", backend):
        images = put(x, device, requires_grad=True)
        laid = images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) if last else images
        y, places = mg.max_pool2d(laid, kernel, **options, return_indices=True)
        weights = np.arange(y.numel(), dtype=np.float32).reshape(y.shape) + 1
        (gx,) = gradients([y], [images], [put(weights, device)])
        assert gx is not None
        results.append([host(y), host(places), host(gx)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    assert results[0][2].sum() == pytest.approx(weights.sum())


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("dtype", EPS)
def test_convolution_by_columns(dtype: str, groups: int, backend: str) -> None:
    rng = np.random.default_rng(groups)
    shapes = (3, 4, 9, 8), (8, 4 // groups, 3, 2), (8,)
    arrays = [rng.standard_normal(s).astype(dtype) for s in shapes]
    options: Any = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 3), "groups": groups}
    results = []
    for device, kind in (("cpu", "float64"), (backend, dtype)):
        inputs = [put(a.astype(kind), device, requires_grad=True) for a in arrays]
        y = mg.conv2d(*inputs, **options)
        g = np.random.default_rng(9).standard_normal(y.shape).astype(dtype)
        y.backward(put(g.astype(kind), device))
        results.append([y, *(t.grad for t in inputs)])
    for exact, found in zip(*results, strict=True):
        close(found, host(exact), dtype, 64)


OPTIMIZERS: dict[str, Any] = {
    "sgd": lambda p: mg.optim.SGD(p, lr=0.1),
    "momentum": lambda p: mg.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3),
    "nesterov": lambda p: mg.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "l1": lambda p: mg.optim.SGD(p, lr=0.1, l1_decay=0.2, maximize=True),
    "threshold": lambda p: mg.optim.SGD(
        p, lr=0.1, momentum=0.5, l1_decay=0.5, weight_decay=0.1, decoupled_weight_decay=True
    ),
    "adam": lambda p: mg.optim.Adam(p, lr=0.01, weight_decay=0.1),
    "amsgrad": lambda p: mg.optim.Adam(p, lr=0.01, amsgrad=True, maximize=True),
    "adamw": lambda p: mg.optim.AdamW(p, lr=0.01, weight_decay=0.1, l1_decay=0.5),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_steps(name: str, dtype: str, backend: str) -> None:
    """Five steps of two parameters beside the same on the host; the second has no gradient once."""
    rng = np.random.default_rng(1)
    start = [rng.standard_normal(s).astype(dtype) for s in ((5, 3), (300,))]
    slopes = [[rng.standard_normal(a.shape).astype(dtype) for a in start] for _ in range(5)]
    results = []
    for device in ("cpu", backend):
        params = [nn.Parameter(put(a, device)) for a in start]
        optimizer = OPTIMIZERS[name](params)
        for k, given in enumerate(slopes):
            for p, g in zip(params, given, strict=True):
                p.grad = None if k == 2 and p is params[1] else put(g, device)
            optimizer.step()
        state = [s for entry in optimizer.state_dict()["state"].values() for s in entry.values()]
        results.append([host(t) for t in (*params, *state)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(b, a, rtol=20 * EPS[dtype], atol=20 * EPS[dtype])
        np.testing.assert_array_equal(a == 0, b == 0)  # what the soft threshold made of it
