"""Arguments that a program uses where they are, and how a call of its kind is recognised."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.engine.tensor import Tensor
from minigrad.replay import bind, emit


@pytest.fixture(autouse=True)
def _also_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bind, "SMALLEST", 1)


def rows(n: int, width: int = 3, seed: int = 0) -> Tensor:
    return mg.randn(n, width, generator=mg.Generator(seed))


def expect_alike(function: Any, calls: Any) -> Any:
    """Compare a function's results, and its replays', bit for bit; return the replay."""
    replay = mg.capture(function)
    for args in calls:
        np.testing.assert_array_equal(replay(*args).numpy(), function(*args).numpy())
    return replay


def test_views_of_an_argument_are_taken_anew() -> None:
    def f(x: Tensor, labels: Tensor) -> Tensor:
        y = x.mT @ x + x.reshape(-1).sum()
        return y.tanh() + nn.functional.cross_entropy(x, labels)

    labels = [mg.tensor([0, 1, 2, k % 3]) for k in range(4)]
    replay = expect_alike(f, [(rows(4, 3, k), labels[k]) for k in range(4)])
    (program,) = replay.programs
    assert program.bound == [0, 1]
    assert "a0.T" in program.source


def test_an_argument_in_another_order_of_memory() -> None:
    replay = expect_alike(lambda x: x @ x.mT + 1, [(rows(3, 4, k).mT,) for k in range(4)])
    assert len(replay.programs) == 1
    assert replay.programs[0].bound == [0]
    # every second row: the recorded copy lies closer than the argument
    apart = expect_alike(lambda x: (x * 2).sum(0), [(rows(6, 4, k)[::2],) for k in range(4)])
    assert apart.programs[0].bound == []


def test_an_argument_that_is_written_is_copied() -> None:
    def f(x: Tensor) -> Tensor:
        x.mul_(2)
        return x + 1

    replay = mg.capture(f)
    for _ in range(3):
        x = mg.ones(2)
        assert replay(x).tolist() == [3.0, 3.0]
        assert x.tolist() == [2.0, 2.0]
    assert replay.programs[0].bound == []


def test_an_argument_in_memory_that_the_program_writes() -> None:
    w = mg.ones(3, requires_grad=True)
    updates = optim.SGD([w], lr=0.5)

    def step(x: Tensor) -> Tensor:
        updates.zero_grad()
        (w * x).sum().backward()
        updates.step()
        return (w * x).detach()  # the argument's values, not what the update made of them

    replay = mg.capture(step)
    for _ in range(3):
        replay(mg.ones(3))
    before = w.detach().numpy().copy()
    result = replay(w.detach())
    np.testing.assert_array_equal(result.numpy(), (before - 0.5 * before) * before)
    assert len(replay.programs) == 1
    assert w.grad is not None
    grad = w.grad.numpy().copy()
    before = w.detach().numpy().copy()
    result = replay(w.grad)  # nor what backward wrote over it
    np.testing.assert_array_equal(result.numpy(), (before - 0.5 * grad) * grad)


def test_calls_of_other_kinds_are_not_taken_for_the_last() -> None:
    def f(x: Tensor, y: Tensor, by: Any = 1) -> Tensor:
        return (x * by - y) * (2 if mg.is_grad_enabled() else 3)

    replay = mg.capture(f)
    x, y, z = rows(2), rows(2, seed=1), rows(2, seed=2)
    column = mg.tensor(np.asfortranarray(x.numpy()))
    calls: list[Any] = [
        (x, y), (z, x), (x, x), (y, x), (x, y, 2.0), (x, y, 2.0), (x.double(), y.double()),
        (column, y), (x.clone().requires_grad_(), y), (rows(5), rows(5, seed=3)), (x, y),
    ]  # fmt: skip
    for call in calls * 2:
        np.testing.assert_array_equal(replay(*call).detach().numpy(), f(*call).detach().numpy())
        with mg.no_grad():
            np.testing.assert_array_equal(replay(*call).numpy(), f(*call).numpy())
    with pytest.raises(TypeError):
        replay(x)


def test_a_long_program_is_cut_into_several_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emit, "_LINES", 3)

    def f(x: Tensor) -> Tensor:
        y = x
        for k in range(5):
            y = (y + k) @ x.mT @ x
        return y

    replay = expect_alike(f, [(rows(2, 2, k),) for k in range(3)])
    assert replay.programs[0].source.count("def run_") > 2


def test_a_change_by_a_replay_is_noticed() -> None:
    w = mg.ones(2, requires_grad=True)

    @mg.capture
    def double() -> None:
        with mg.no_grad():
            w.mul_(2)

    double(), double()
    y = (w * w).sum()
    double()
    with pytest.raises(RuntimeError, match=r"changed in place by a replay of double"):
        y.backward()


def test_warnings_stay_off_inside_and_on_outside() -> None:
    replay = mg.capture(lambda x: mg.log(x) / x)
    for _ in range(3):
        replay(mg.zeros(2))
    with pytest.warns(RuntimeWarning, match="divide"):
        np.log(np.zeros(1))
