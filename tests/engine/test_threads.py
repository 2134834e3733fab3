"""Several threads and tasks at once: what each does is its own, what they share adds up."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import minigrad as mg


@pytest.fixture
def eager_switches() -> Iterator[None]:
    """Make threads take turns after every few instructions, so that races have their chance."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def run_together(*jobs: Callable[[], object]) -> None:
    """Run each job in a thread of its own, all at once; what one raises is raised here."""
    start, errors = threading.Barrier(len(jobs)), []

    def work(job: Callable[[], object]) -> None:
        start.wait(10)
        try:
            job()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("size", [1, 20_000])  # NumPy lets other threads run in long sums only
def test_graphs_that_share_leaves_add_up(size: int, eager_switches: None) -> None:
    """Each of four threads adds 1 * k + 2 * k + ... to .grad; no share may get lost."""
    leaf = mg.zeros(size, dtype=mg.float64, requires_grad=True)
    steps = 300 if size == 1 else 60

    def job(k: int) -> Callable[[], None]:
        def go() -> None:
            for i in range(steps):
                (leaf * float(k * i)).backward(np.ones(size))

        return go

    run_together(*[job(k) for k in range(1, 5)])
    assert np.unique(leaf.grad.numpy()).tolist() == [10 * steps * (steps - 1) / 2]


def test_one_part_of_a_graph_shared_by_two_threads(eager_switches: None) -> None:
    x = mg.tensor([0.5, -1.0], dtype=mg.float64, requires_grad=True)
    shared = mg.tanh(x * 3.0)
    outputs = [shared * float(k) for k in range(1, 5)]

    def job(y: mg.Tensor) -> Callable[[], None]:
        def go() -> None:
            for _ in range(50):
                y.backward(np.ones(2), retain_graph=True)

        return go

    run_together(*map(job, outputs))
    slope = 3 * (1 - np.tanh([1.5, -3.0]) ** 2)
    np.testing.assert_allclose(x.grad.numpy(), 50 * 10 * slope, rtol=1e-10)


def test_autograd_grad_in_threads_touches_nothing_shared(eager_switches: None) -> None:
    w = mg.tensor([1.0, 2.0, 3.0], dtype=mg.float64, requires_grad=True)
    found: dict[int, list[float]] = {}

    def job(k: int) -> Callable[[], None]:
        def go() -> None:
            for _ in range(50):
                (g,) = mg.autograd.grad((w * w * float(k)).sum(), w, create_graph=True)
                (h,) = mg.autograd.grad(g.sum(), w)
                found[k] = [*g.tolist(), *h.tolist()]

        return go

    run_together(*[job(k) for k in range(1, 5)])
    assert found == {k: [2.0 * k, 4.0 * k, 6.0 * k] + [2.0 * k] * 3 for k in range(1, 5)}
    assert w.grad is None


def test_changes_in_place_are_all_noted(eager_switches: None) -> None:
    """A change is found by its time: two threads must not take the same one."""
    from minigrad.engine.mutation import CLOCK

    before = CLOCK.time

    def job() -> None:
        x = mg.zeros(1)
        for _ in range(2000):
            x.zero_()

    run_together(job, job, job, job)
    assert CLOCK.time == before + 8000


def test_a_change_in_one_thread_is_refused_in_another() -> None:
    x = mg.ones(2, dtype=mg.float64, requires_grad=True)
    c = mg.ones(2, dtype=mg.float64)
    y = x * c
    run_together(lambda: c.add_(1.0))
    with pytest.raises(mg.MutationError, match="add_"):
        y.backward(np.ones(2))


def test_a_training_and_an_evaluating_thread(eager_switches: None) -> None:
    model = mg.nn.Linear(3, 2)
    x = mg.ones(4, 3)
    recorded, silent = [], []

    def train() -> None:
        for _ in range(100):
            recorded.append(model(x).requires_grad)

    @mg.no_grad()
    def evaluate() -> None:
        for _ in range(100):
            silent.append(model(x).requires_grad)

    run_together(train, evaluate, train, evaluate)
    assert recorded == [True] * 200
    assert silent == [False] * 200


def test_anomaly_mode_is_of_one_thread() -> None:
    x = mg.tensor([0.0], dtype=mg.float64, requires_grad=True)
    ready, leave = threading.Event(), threading.Event()
    caught = []

    def hunt() -> None:
        with mg.detect_anomaly():
            ready.set()
            leave.wait(10)
            with np.errstate(all="ignore"):
                try:
                    mg.log(x)
                except mg.AnomalyError as error:
                    caught.append(error)

    thread = threading.Thread(target=hunt)
    thread.start()
    ready.wait(10)
    with np.errstate(all="ignore"):
        assert mg.log(x).item() == -np.inf
    leave.set()
    thread.join()
    assert len(caught) == 1


# ---- who inherits a mode ------------------------------------------------------------------------


def test_a_thread_starts_with_the_tape_on() -> None:
    seen = []
    with mg.no_grad():
        run_together(lambda: seen.append(mg.is_grad_enabled()))
    # Python 3.14 can be told to let threads inherit it, and does so without the global lock.
    assert seen == [not getattr(sys.flags, "thread_inherit_context", 0)]


def test_a_task_and_to_thread_start_with_the_mode_around_them() -> None:
    async def look() -> bool:
        await asyncio.sleep(0)
        return mg.is_grad_enabled()

    async def main() -> list[bool]:
        with mg.no_grad():
            task = asyncio.create_task(look())
            thread = asyncio.to_thread(mg.is_grad_enabled)
        outside = asyncio.create_task(look())
        return [await task, await thread, await outside]

    # The task copied the context when it was made; to_thread copies it when it is awaited.
    assert asyncio.run(main()) == [False, True, True]


def test_tasks_go_back_on_graphs_that_share_leaves() -> None:
    w = mg.tensor([1.0, 2.0], dtype=mg.float64, requires_grad=True)

    async def step(k: int) -> None:
        y = w * float(k)
        await asyncio.sleep(0)
        if k % 2:
            y.backward(np.ones(2))
        else:
            with mg.no_grad():
                await asyncio.sleep(0)
                assert not (w * 1.0).requires_grad
        await asyncio.sleep(0)
        assert (w * 1.0).requires_grad

    async def main() -> None:
        await asyncio.gather(*(step(k) for k in range(10)))

    asyncio.run(main())
    assert w.grad.tolist() == [25.0, 25.0]
