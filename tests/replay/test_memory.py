"""What recording and replaying hold: no more than eager steps do, and the planned buffers."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

import minigrad as mg
from minigrad.engine.tensor import Tensor


@pytest.fixture(autouse=True)
def tracing() -> Any:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def peak(run: Callable[[], Any]) -> int:
    """Return the most bytes that a call takes at one time, beyond what was there."""
    gc.collect()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    run()
    return tracemalloc.get_traced_memory()[1] - before


def chain(x: Tensor) -> Tensor:
    """Compute through twenty results of one size, of which two are alive at a time."""
    y = x
    for k in range(20):
        y = (y * 0.5).flip(0) + k
    return y.sum()


def test_recording_lets_go_of_what_the_function_let_go_of() -> None:
    x = mg.ones(200_000)
    size = x._array.nbytes
    chain(x)
    eager = peak(lambda: chain(x))
    replay = mg.capture(chain)
    recording = peak(lambda: replay(x))
    assert eager < 4 * size
    program = replay.programs[-1]
    assert recording < eager + size + program.memory()["planned"] + size  # the argument's copy
    assert peak(lambda: replay(x)) < size / 4


def test_an_attempt_that_is_given_up_keeps_nothing() -> None:
    x = mg.randn(20, 200, 200)

    def pooled(x: Tensor) -> Tensor:
        g = mg.autograd.grad([mg.max_pool2d(x, 2).sum()], [x])[0]  # looks for NaN: one call
        return g[:, :2, :2] + 0

    replay = mg.capture(pooled)
    before = tracemalloc.get_traced_memory()[0]
    replay(x.requires_grad_())
    memory = replay.programs[-1].memory()
    held = tracemalloc.get_traced_memory()[0] - before
    assert held < memory["planned"] + memory["kept"] + x._array.nbytes / 4


def test_constants_and_what_is_kept_outlive_the_recording() -> None:
    w = mg.ones(50_000, requires_grad=True)

    @mg.capture
    def step(x: Tensor) -> Tensor:
        mask = mg.arange(50_000) % 7 > 2  # a constant
        loss = (w * x * mask).sum()
        loss.backward()
        return mg.arange(50_000) * 2.0

    for k in range(1, 4):
        w.grad = None
        doubled = step(mg.full((50_000,), float(k)))
        gc.collect()
        rubbish = [mg.full((50_000,), 9.0) for _ in range(8)]  # takes the memory that is free
        assert doubled.tolist()[:3] == [0.0, 2.0, 4.0]
        assert w.grad is not None
        assert w.grad.tolist()[:4] == [0.0, 0.0, 0.0, float(k)]
        assert len(rubbish) == 8
