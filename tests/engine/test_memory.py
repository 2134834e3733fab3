"""Memory: a step leaves nothing, 1,000 steps do not grow, no cycle waits for the collector."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

import minigrad as mg


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Switch the cycle collector off, so that only reference counts free memory."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def parameters() -> list[mg.Tensor]:
    rng = np.random.default_rng(0)
    shapes = [(8, 16), (16,), (16, 4), (4,)]
    return [
        mg.tensor(rng.standard_normal(shape).astype(np.float32), requires_grad=True)
        for shape in shapes
    ]


def step(params: list[mg.Tensor], x: mg.Tensor, y: mg.Tensor) -> float:
    """Do what a training step does: forward, backward, update in place, drop the gradients."""
    w1, b1, w2, b2 = params
    h = mg.tanh(x @ w1 + b1)
    loss = ((h @ w2 + b2 - y) * (h @ w2 + b2 - y)).mean()
    loss.backward()
    with mg.no_grad():
        for p in params:
            p -= 0.01 * p.grad
            p.grad = None
    return loss.item()


def batch() -> tuple[mg.Tensor, mg.Tensor]:
    rng = np.random.default_rng(1)
    return (
        mg.tensor(rng.standard_normal((32, 8)).astype(np.float32)),
        mg.tensor(rng.standard_normal((32, 4)).astype(np.float32)),
    )


def test_a_step_leaves_no_cycle(no_collector: None) -> None:
    params, (x, y) = parameters(), batch()
    step(params, x, y)
    gc.collect()
    for _ in range(3):
        step(params, x, y)
    assert gc.collect() == 0


@pytest.mark.parametrize(
    "go",
    [
        lambda x: mg.grad(lambda x: (x * x).sum())(x),
        lambda x: mg.hessian(lambda x: (x * x * x).sum())(x),
        lambda x: mg.jvp(mg.tanh, [x], [x]),
        lambda x: mg.autograd.grad((x * x).sum(), x, create_graph=True)[0].sum().backward(),
        lambda x: (x * 2.0).register_hook(lambda g: g),
        lambda x: (x * 2.0).retain_grad(),
        lambda x: mg.softmax(x, 0)[0] + x[mg.tensor([0, 0])].sum(),
    ],
    ids=["grad", "hessian", "jvp", "create_graph", "hook", "retain_grad", "index"],
)
def test_other_uses_leave_no_cycle(go: object, no_collector: None) -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    go(x)  # type: ignore[operator]
    x.grad = None
    gc.collect()
    go(x)  # type: ignore[operator]
    x.grad = None
    assert gc.collect() == 0


def test_1000_steps_do_not_grow(no_collector: None) -> None:
    params, (x, y) = parameters(), batch()
    first = step(params, x, y)
    for _ in range(20):
        step(params, x, y)
    before = len(gc.get_objects())
    for _ in range(1000):
        last = step(params, x, y)
    assert len(gc.get_objects()) - before < 20
    assert last < first


def test_records_of_changes_go_with_their_memory() -> None:
    from minigrad.engine.mutation import _changes

    gc.collect()
    before = len(_changes)
    for _ in range(100):
        x = mg.zeros(3)
        x += 1.0
        x[0] = 2.0
    del x
    assert len(_changes) == before


def test_graph_dies_with_its_result(no_collector: None) -> None:
    x = mg.ones(3, requires_grad=True)
    h = mg.tanh(x)
    ghost = weakref.ref(h._array)
    y = h * 2.0
    del h
    assert ghost() is not None  # saved for the derivative
    del y
    assert ghost() is None


def test_backward_frees_saved_arrays_while_the_result_lives(no_collector: None) -> None:
    x = mg.ones(3, requires_grad=True)
    h = mg.tanh(x)
    ghost = weakref.ref(h._array)
    y = (h * h).sum()
    del h
    y.backward()
    assert ghost() is None
    assert y.item() > 0
