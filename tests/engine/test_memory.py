"""Memory: a step leaves nothing, 1,000 steps do not grow, no cycle waits for the collector."""

from __future__ import annotations

import gc
import tracemalloc
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


@pytest.mark.slow
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


# ---- with hooks, optimisers and derivatives of derivatives ---------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_1000_steps_with_hooks_and_an_optimiser_do_not_grow(name: str, no_collector: None) -> None:
    """A hook that stays, a hook and a retained gradient in each step: neither bytes nor objects."""
    params, (x, y) = parameters(), batch()
    options = {"momentum": 0.9} if name == "SGD" else {}
    optimiser = getattr(mg.optim, name)(params, lr=1e-3, **options)
    calls = 0

    def count(g: mg.Tensor) -> None:
        nonlocal calls
        calls += 1

    params[0].register_hook(count)

    def step() -> float:
        w1, b1, w2, b2 = params
        h = mg.tanh(x @ w1 + b1)
        h.retain_grad()
        h.register_hook(lambda g: g * 1.0)
        loss = ((h @ w2 + b2 - y) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        assert h.grad is not None
        return loss.item()

    first = step()
    for _ in range(50):
        step()
    gc.collect()
    tracemalloc.start()
    try:
        step()
        objects, (before, _) = len(gc.get_objects()), tracemalloc.get_traced_memory()
        for _ in range(1000):
            last = step()
        assert len(gc.get_objects()) - objects < 20
        assert gc.collect() < 100  # no cycle a step; it also empties the lists of spare tuples
        # Adam keeps a bounded number of its factors; 40 bytes a step would be too much.
        assert tracemalloc.get_traced_memory()[0] - before < 40_000
    finally:
        tracemalloc.stop()
    assert calls == 1052
    assert last < first


@pytest.mark.slow
def test_steps_with_a_gradient_penalty_do_not_grow(no_collector: None) -> None:
    """Backward of a recorded gradient, which in other engines ties a knot of references."""
    w = mg.tensor([1.0, 2.0], requires_grad=True)

    def step() -> None:
        w.grad = None
        (w * w * w).sum().backward(create_graph=True)
        (g,) = mg.autograd.grad((w * w * w).sum(), w, create_graph=True)
        (g * g).sum().backward()

    for _ in range(20):
        step()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(300):
        step()
    assert len(gc.get_objects()) - before < 20
    assert gc.collect() == 0


def test_a_leaf_with_a_recorded_gradient_dies_by_its_references(no_collector: None) -> None:
    x = mg.ones(3, requires_grad=True)
    ghost = weakref.ref(x._array)
    (x * x * x).sum().backward(create_graph=True)
    assert x.grad is not None
    assert x.grad.requires_grad
    del x
    assert ghost() is None


def test_growth_is_noticed(no_collector: None) -> None:
    """The classic mistake, adding up losses with their graphs, is what these tests would see."""
    x = mg.ones(3, requires_grad=True)
    total = mg.tensor(0.0)
    before = len(gc.get_objects())
    for _ in range(100):
        total = total + (x * 2.0).sum()
    assert len(gc.get_objects()) - before > 100


# ---- very deep graphs ---------------------------------------------------------------------------


def test_a_deep_graph_is_freed_by_references_alone(no_collector: None) -> None:
    """Node after node, without recursion and without waiting for the collector."""
    x = mg.ones(2, requires_grad=True)
    gc.collect()
    before = len(gc.get_objects())
    y = x
    for _ in range(100_000):
        y = mg.tanh(y)
    assert len(gc.get_objects()) - before > 100_000
    del y
    assert len(gc.get_objects()) - before < 20


def test_backward_of_a_deep_graph_frees_it_on_the_way(no_collector: None) -> None:
    x = mg.ones(2, dtype=mg.float64, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + x * 1e-5
    before = len(gc.get_objects())
    y.backward(np.array([1.0, 3.0]))
    assert before - len(gc.get_objects()) > 100_000
    np.testing.assert_allclose(x.grad.numpy(), [2.0, 6.0], rtol=1e-9)


def test_second_derivative_of_a_deep_graph(no_collector: None) -> None:
    """y = x * c^n by n products; its derivative by x and c is n c^(n-1)."""
    x = mg.tensor(2.0, dtype=mg.float64, requires_grad=True)
    c = mg.tensor(1.0001, dtype=mg.float64, requires_grad=True)

    def derivatives(n: int) -> tuple[float, float]:
        y = x
        for _ in range(n):
            y = y * c
        (g,) = mg.autograd.grad(y, x, create_graph=True)
        (mixed,) = mg.autograd.grad(g, c)
        return g.item(), mixed.item()

    derivatives(3)
    gc.collect()
    before = len(gc.get_objects())
    first, mixed = derivatives(10_000)
    assert first == pytest.approx(1.0001**10_000, rel=1e-9)
    assert mixed == pytest.approx(10_000 * 1.0001**9_999, rel=1e-9)
    assert len(gc.get_objects()) - before < 1000
