"""no_grad, enable_grad, detect_anomaly: local to a block, a thread and an async task."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.modes import MODE, Mode


def test_no_grad_records_nothing_and_nests() -> None:
    x = mg.ones(2, requires_grad=True)
    with mg.no_grad():
        assert not mg.is_grad_enabled()
        assert not (x * 2.0).requires_grad
        with mg.enable_grad():
            assert (x * 2.0).requires_grad
        with mg.set_grad_enabled(False):
            assert not (x * 2.0).requires_grad
        assert not (x * 2.0).requires_grad
    assert (x * 2.0).requires_grad


def test_mode_comes_back_after_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), mg.no_grad(), mg.detect_anomaly():
        1 / 0  # noqa: B018
    assert MODE.get() == Mode()


def test_modes_are_decorators() -> None:
    x = mg.ones(2, requires_grad=True)

    @mg.no_grad()
    def evaluate(x: mg.Tensor) -> mg.Tensor:
        """Text."""
        return x * 2.0

    assert not evaluate(x).requires_grad
    assert evaluate.__doc__ == "Text."
    assert mg.is_grad_enabled()


def test_one_switch_object_can_be_nested() -> None:
    switch = mg.no_grad()
    with switch:
        with switch:
            assert not mg.is_grad_enabled()
        assert not mg.is_grad_enabled()
    assert mg.is_grad_enabled()


def test_threads_do_not_disturb_each_other() -> None:
    inside, leave = threading.Event(), threading.Event()
    seen = []

    def evaluate() -> None:
        with mg.no_grad():
            inside.set()
            leave.wait(10)
            seen.append(mg.is_grad_enabled())

    worker = threading.Thread(target=evaluate)
    worker.start()
    assert inside.wait(10)
    x = mg.ones(2, requires_grad=True)
    recorded = (x * 2.0).requires_grad
    leave.set()
    worker.join()
    assert recorded
    assert seen == [False]


def test_tasks_do_not_disturb_each_other() -> None:
    order = []

    async def evaluate(gate: asyncio.Event) -> None:
        with mg.no_grad():
            gate.set()
            await asyncio.sleep(0)
            order.append(("evaluate", mg.is_grad_enabled()))

    async def train(gate: asyncio.Event) -> None:
        await gate.wait()
        order.append(("train", mg.is_grad_enabled()))

    async def both() -> None:
        gate = asyncio.Event()
        await asyncio.gather(evaluate(gate), train(gate))

    asyncio.run(both())
    assert sorted(order) == [("evaluate", False), ("train", True)]


def test_backward_in_several_threads() -> None:
    results: dict[int, list[float]] = {}
    start = threading.Barrier(4)

    def work(k: int) -> None:
        start.wait(10)
        for _ in range(50):
            x = mg.tensor([1.0, 2.0, 3.0], dtype=mg.float64, requires_grad=True)
            y = x
            for _ in range(20):
                y = mg.tanh(y * float(k))
            y.backward(np.array([1.0, 2.0, 3.0]))
            found = x.grad.tolist()
            if results.setdefault(k, found) != found:
                results[k] = [float("nan")]

    workers = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for k in range(1, 5):
        v, slope = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])
        for _ in range(20):
            v = np.tanh(k * v)
            slope = slope * k * (1 - v * v)
        np.testing.assert_allclose(results[k], slope, rtol=1e-10)


# ---- anomaly mode -------------------------------------------------------------------------------


def test_anomaly_in_forward_names_op_line_and_ranges() -> None:
    x = mg.tensor([1.0, 0.0, -1.0], requires_grad=True)
    with mg.detect_anomaly(), np.errstate(all="ignore"), pytest.raises(mg.AnomalyError) as caught:
        mg.log(x)  # here
    text = str(caught.value)
    assert "log made 1 NaN and 1 infinity among 3 values" in text
    assert "mg.log(x)  # here" in text
    assert "test_modes.py:" in text
    assert "float32[3] finite values -1 to 1, 0 not finite" in text


def test_anomaly_in_backward_names_the_forward_line() -> None:
    x = mg.tensor([0.0, 1.0], dtype=mg.float64, requires_grad=True)
    with mg.detect_anomaly(), np.errstate(all="ignore"):
        y = mg.sqrt(x)  # infinite slope at 0
        with pytest.raises(mg.AnomalyError) as caught:
            y.backward(np.array([1.0, 1.0]))
    assert "backward of sqrt made 1 infinity among 2 values" in str(caught.value)
    assert "y = mg.sqrt(x)  # infinite slope at 0" in str(caught.value)
    assert x.grad is None


def test_anomaly_in_backward_alone() -> None:
    x = mg.tensor([0.0], dtype=mg.float64, requires_grad=True)
    y = mg.sqrt(x)
    with (
        mg.detect_anomaly(),
        np.errstate(all="ignore"),
        pytest.raises(mg.AnomalyError, match="run the forward under detect_anomaly"),
    ):
        y.backward()


def test_anomaly_mode_is_off_by_default_and_changes_no_value() -> None:
    x = mg.tensor([0.5, 2.0], dtype=mg.float64, requires_grad=True)
    plain = mg.log(x)
    with mg.detect_anomaly():
        watched = mg.log(x)
        watched.backward(np.array([1.0, 3.0]))
    assert plain.tolist() == watched.tolist()
    assert x.grad.tolist() == [2.0, 1.5]
    with np.errstate(all="ignore"):
        assert np.isnan(mg.log(mg.tensor([-1.0])).item())


def test_integers_are_not_looked_at() -> None:
    with mg.detect_anomaly():
        assert (mg.tensor([1, 2]) + 1).tolist() == [2, 3]
