"""Threads of our own: how many, whose the cores are, and what handing out work promises."""

from __future__ import annotations

import _thread
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import NUMPY, threads
from minigrad.backend.blas import blas_threads, kept_to

owned = blas_threads()
needs_blas = pytest.mark.skipif(owned is None, reason="this BLAS's threads cannot be set")


@pytest.fixture(autouse=True)
def _give_back() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mg.set_num_threads(None)


# ---- how many -----------------------------------------------------------------------------------


def test_one_at_the_start() -> None:
    assert mg.get_num_threads() == 1
    assert threads.at_hand() == threads.take_cores() == 1
    assert blas_threads() == owned


@needs_blas
@pytest.mark.parametrize("count", [1, 2, 3])
def test_as_many_as_set(count: int) -> None:
    mg.set_num_threads(count)
    assert mg.get_num_threads() == blas_threads() == threads.product_threads() == count
    assert threads.at_hand() == 1  # the cores are BLAS's still
    assert threads.take_cores() == threads.at_hand() == count
    assert blas_threads() == 1


@needs_blas
@pytest.mark.parametrize("take", [False, True])
def test_none_gives_blas_what_it_had(take: bool) -> None:
    for count in (2, 1, 3):
        mg.set_num_threads(count)
        if take:
            threads.take_cores()
    mg.set_num_threads(None)
    assert (mg.get_num_threads(), blas_threads()) == (1, owned)
    mg.set_num_threads(None)
    assert (mg.get_num_threads(), blas_threads()) == (1, owned)


@needs_blas
def test_setting_it_again_gives_the_cores_to_blas_again() -> None:
    mg.set_num_threads(2)
    threads.take_cores()
    mg.set_num_threads(2)
    assert (threads.at_hand(), blas_threads()) == (1, 2)


@pytest.mark.parametrize("count", [2.0, "2", True, np.float32(1), [1]])
def test_no_int(count: Any) -> None:
    with pytest.raises(TypeError) as caught:
        mg.set_num_threads(count)
    assert str(caught.value) == (
        f"set_num_threads takes an int or None, not {count!r}; this machine has "
        f"{os.cpu_count()} cores"
    )
    assert mg.get_num_threads() == 1


@pytest.mark.parametrize("count", [0, -2])
def test_less_than_one(count: int) -> None:
    with pytest.raises(ValueError, match="count must be at least 1") as caught:
        mg.set_num_threads(count)
    assert str(caught.value) == f"set_num_threads: count must be at least 1 (or None), not {count}"
    assert mg.get_num_threads() == 1


def test_a_blas_that_cannot_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "blas_threads", lambda: None)
    monkeypatch.setattr(threads, "set_blas_threads", pytest.fail)
    with pytest.warns(RuntimeWarning) as caught:
        mg.set_num_threads(2)
    assert [str(w.message) for w in caught] == [
        "set_num_threads: NumPy was built with a BLAS whose threads cannot be set; minigrad stays "
        "at one thread of its own. Set those of BLAS before NumPy is imported, with its own "
        "variable (OMP_NUM_THREADS, VECLIB_MAXIMUM_THREADS)"
    ]
    assert caught[0].filename == __file__
    assert mg.get_num_threads() == threads.take_cores() == threads.at_hand() == 1
    assert threads.product_threads() is None
    mg.set_num_threads(None)  # changes nothing, and so warns of nothing


# ---- whose the cores are ------------------------------------------------------------------------


def convolve() -> Any:
    """Convolve images that make many tiles."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((8, 16, 32, 32)), rng.standard_normal((4, 16, 3, 3))
    return mg.conv2d(mg.tensor(x), mg.tensor(w))


@needs_blas
def test_blas_keeps_its_threads_until_there_are_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    from minigrad.backend import numpy_backend

    for name, value in [("_WHOLE", 64), ("_SHARED", 64), ("_BLOCK", 64), ("_SHARED_PRODUCTS", 64)]:
        monkeypatch.setattr(numpy_backend, name, value)
    a = mg.tensor(np.random.default_rng(0).standard_normal((20, 20)), requires_grad=True)
    mg.set_num_threads(2)
    mg.gelu(a @ a).backward(mg.ones(20, 20))
    mg.optim.SGD([a], lr=0.1).step()
    mg.conv2d(mg.ones(1, 1, 4, 4), mg.ones(1, 1, 2, 2))  # one tile
    assert (threads.at_hand(), blas_threads()) == (1, 2)
    convolve()
    assert (threads.at_hand(), blas_threads()) == (2, 1)
    assert convolve().shape == (8, 4, 30, 30)
    mg.set_num_threads(None)
    assert (threads.at_hand(), blas_threads()) == (1, owned)


@needs_blas
def test_who_kept_blas_to_one_does_not_make_it_a_second_owner() -> None:
    mg.set_num_threads(2)
    kept_to(1, threads.take_cores)()  # gives BLAS back what it had before
    assert blas_threads() == 2
    assert threads.take_cores() == 2
    assert blas_threads() == 1


# ---- handing out --------------------------------------------------------------------------------


@pytest.mark.parametrize("functions", [1, 2, 3, 5])
@pytest.mark.parametrize("items", [0, 1, 2, 7, 300])
def test_each_item_is_dealt_once(items: int, functions: int) -> None:
    done: list[tuple[int, int]] = []
    threads.deal(range(items), [lambda i, k=k: done.append((i, k)) for k in range(functions)])
    assert sorted(i for i, _ in done) == list(range(items))
    assert {k for _, k in done} <= set(range(functions))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 6])
def test_each_part_runs_once(count: int) -> None:
    done: list[int] = []
    threads.share([partial(done.append, k) for k in range(count)])
    assert sorted(done) == list(range(count))


def test_the_first_part_runs_here_and_another_elsewhere() -> None:
    began, where = threading.Event(), {}

    def first() -> None:
        where["first"] = threading.get_ident()
        assert began.wait(10)  # so nobody but a worker can have begun it

    def other() -> None:
        where["other"] = threading.get_ident()
        began.set()

    threads.share([first, other])
    assert where["first"] == threading.get_ident() != where["other"]


class Pair:
    """Two parts that run at the same time, and what became of them."""

    def __init__(self, here: BaseException | None, there: BaseException | None) -> None:
        self.errors = here, there
        self.began, self.may_end = threading.Event(), threading.Event()
        self.ended: list[str] = []

    def here(self) -> None:
        assert self.began.wait(10)
        self.may_end.set()
        if self.errors[0] is not None:
            raise self.errors[0]
        self.ended.append("here")

    def there(self) -> None:
        self.began.set()
        assert self.may_end.wait(10)
        time.sleep(0.02)  # the first part has ended long before
        self.ended.append("there")
        if self.errors[1] is not None:
            raise self.errors[1]


@pytest.mark.parametrize("there", [None, KeyError("there")])
@pytest.mark.parametrize("here", [None, ValueError("here")])
def test_errors_come_when_all_parts_have_ended(
    here: ValueError | None, there: KeyError | None
) -> None:
    pair = Pair(here, there)
    expected = here or there
    if expected is None:
        threads.share([pair.here, pair.there])
        assert sorted(pair.ended) == ["here", "there"]
    else:
        with pytest.raises(type(expected)) as caught:
            threads.share([pair.here, pair.there])
        assert caught.value is expected
        assert "there" in pair.ended
    assert not threads._crew.work
    test_the_first_part_runs_here_and_another_elsewhere()  # the crew is as good as before


def test_the_first_of_two_workers_errors_is_raised() -> None:
    both = threading.Barrier(3, timeout=10)

    def fail(error: Exception) -> None:
        both.wait()
        raise error

    with pytest.raises(KeyError, match="second"):
        threads.share([both.wait, partial(fail, KeyError("second")), partial(fail, OSError())])


def test_what_was_not_begun_does_not_run_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads._Crew, "hand_out", lambda crew, tasks: None)  # all are late
    done: list[int] = []

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        threads.share([fail, partial(done.append, 1)])
    assert done == []


def test_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none can be started, as when Python ends, all runs here."""

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "_crew", threads._Crew())
    monkeypatch.setattr(threading.Thread, "start", start)
    done: list[int] = []
    threads.share([lambda k=k: done.append((k, threading.get_ident())) for k in range(3)])
    assert done == [(k, threading.get_ident()) for k in range(3)]


def test_a_share_in_a_share_runs_in_place() -> None:
    found: list[tuple[int, set[int]]] = []

    def outer() -> None:
        inner: set[int] = set()
        threads.share([lambda: inner.add(threading.get_ident())] * 3)
        found.append((threading.get_ident(), inner))

    began = threading.Barrier(2, timeout=10)
    threads.share([lambda: (began.wait(), outer()), lambda: (began.wait(), outer())])
    assert len({thread for thread, _ in found}) == 2
    assert all(inner == {thread} for thread, inner in found)


def test_two_threads_share_at_once() -> None:
    sums: dict[int, list[int]] = {}

    def work(k: int) -> None:
        sums[k] = []
        for _ in range(50):
            done: list[int] = []
            threads.deal(range(20), [done.append] * 2)
            sums[k].append(sum(done))

    others = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for t in others:
        t.start()
    for t in others:
        t.join(30)
    assert sums == {k: [190] * 50 for k in range(2)}
    assert not threads._crew.work


def on_a_worker(part: Callable[[], Any]) -> Any:
    """Return what a part returns that a worker runs."""
    began, found = threading.Event(), []

    def other() -> None:
        began.set()
        found.append(part())

    threads.share([lambda: began.wait(10), other])
    assert began.is_set()
    return found[0]


def test_what_is_switched_off_here_is_off_there() -> None:
    zero, x = np.zeros(1), mg.ones(2, requires_grad=True)
    with np.errstate(divide="ignore"):
        assert on_a_worker(lambda: np.log(zero))[0] == -np.inf  # warnings are errors here
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        on_a_worker(lambda: np.log(zero))
    with mg.no_grad():
        assert not on_a_worker(lambda: x * 2).requires_grad
    assert on_a_worker(lambda: x * 2).requires_grad
    on_a_worker(lambda: np.seterr(all="ignore"))  # a part changes nothing for others
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        on_a_worker(lambda: np.log(zero))


class Stop(Exception):
    """What a handler of a signal raises."""


def _raise_stop(*_: Any) -> None:
    raise Stop


@pytest.fixture
def hears_ctrl_c() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt: what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_ctrl_c")
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("way", ["interrupt_main", "from here", "a signal"])
def test_an_interruption_waits_for_the_workers(way: str, twice: bool) -> None:
    if way == "a signal" and not hasattr(signal, "pthread_kill"):
        pytest.skip("this system sends no signals to a thread")
    if way == "a signal":
        number = signal.SIGUSR1
        before = signal.signal(number, _raise_stop)
    ended: list[bool] = []
    began = threading.Event()

    def here() -> None:
        assert began.wait(10)
        if way == "from here":
            signal.raise_signal(signal.SIGINT)

    def there() -> None:
        began.set()
        time.sleep(0.02)  # the first part has ended, and is waited for
        for _ in range(1 + twice):
            if way == "interrupt_main":
                _thread.interrupt_main()
            elif way == "a signal":  # it ends the waiting of the main thread at once
                signal.pthread_kill(threading.main_thread().ident, number)
            time.sleep(0.03)
        ended.append(True)

    try:
        with pytest.raises(Stop if way == "a signal" else KeyboardInterrupt):
            threads.share([here, there])
    finally:
        if way == "a signal":
            signal.signal(number, before)
    assert ended == [True]
    assert not threads._crew.work
    test_the_first_part_runs_here_and_another_elsewhere()


@pytest.mark.usefixtures("hears_ctrl_c")
def test_an_interruption_is_no_less_than_an_error() -> None:
    """Another part's error does not hide it."""
    began = threading.Event()

    def there() -> None:
        began.set()
        time.sleep(0.02)
        _thread.interrupt_main()
        raise ValueError("there")

    with pytest.raises(KeyboardInterrupt):
        threads.share([lambda: began.wait(10), there])


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_interruptions_at_any_moment() -> None:
    """Wherever they strike, no worker is at work afterwards, and the crew is free."""
    rng, here = np.random.default_rng(0), threading.get_ident()
    at_work: set[int] = set()  # of the workers, which are not interrupted

    def part() -> None:
        me = threading.get_ident()
        if me != here:
            at_work.add(me)
        time.sleep(0)
        at_work.discard(me)

    limit = signal.setitimer(signal.ITIMER_REAL, 0)  # what pytest-timeout has set
    before = signal.signal(signal.SIGALRM, _raise_stop)
    stopped = 0
    try:
        for _ in range(500):
            try:
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, 2e-4))
                for _ in range(4):
                    threads.share([part] * 3)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Stop:
                stopped += 1
            assert not at_work
            assert not threads._crew.work
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *limit)
    assert stopped > 50


class Held:
    """What can be watched while it is freed."""

    def do(self) -> None:
        pass


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("error", ["", "here", "there"])
def test_nothing_is_held_after_the_work(
    monkeypatch: pytest.MonkeyPatch, error: str, late: bool
) -> None:
    """A worker that comes late has the task still, not what was in it; an error makes no cycle."""
    kept: list[Any] = []
    if late:
        monkeypatch.setattr(threads._Crew, "hand_out", lambda crew, tasks: kept.extend(tasks))

    def work() -> weakref.ref[Held]:
        held, began = Held(), threading.Event()

        def here() -> None:
            assert late or began.wait(10)
            if error == "here":
                raise ValueError(error)

        def there() -> None:
            held.do()
            began.set()
            if error == "there":
                raise ValueError(error)

        try:
            threads.share([here, there])
        except ValueError:
            assert error
        return weakref.ref(held)

    gc.disable()
    try:
        ref = work()
        for _ in range(200):  # a worker drops what it raised just after it told that it ended
            if ref() is None:
                break
            time.sleep(0.005)
        assert ref() is None
    finally:
        gc.enable()
    assert len(kept) == late


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_threads_of_its_own() -> None:
    code = """
import os, threading, warnings
warnings.simplefilter("ignore")
from minigrad.backend import threads
def shares():
    began, where = threading.Event(), []
    def other():
        where.append(threading.get_ident())
        began.set()
    threads.share([lambda: began.wait(10), other])
    return where[0] != threading.get_ident()
assert shares()
threads._crew.take([1])  # as if another thread were at work
pid = os.fork()
if pid == 0:
    os._exit(7 if shares() else 8)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@needs_blas
@pytest.mark.parametrize(
    ("items", "count", "workers"), [(11, 2, 1), (2, 4, 1), (3, 4, 2), (1, 4, 0)]
)
def test_tiles_of_the_backend_are_all_done(
    monkeypatch: pytest.MonkeyPatch, items: int, count: int, workers: int
) -> None:
    dealt: list[int] = []
    plain = threads.share
    monkeypatch.setattr(threads, "share", lambda parts: (dealt.append(len(parts)), plain(parts)))
    done: list[int] = []
    for number in (None, count):
        mg.set_num_threads(number)
        done.clear()
        NUMPY.each(range(items), done.append, take=False)
        assert not dealt  # the cores are BLAS's
        NUMPY.each(range(items), done.append)
        NUMPY.each([], done.append)
        assert sorted(done) == sorted([*range(items)] * 2)
        assert dealt == ([] if number is None or not workers else [1 + workers])
