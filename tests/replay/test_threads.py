"""Replays on several threads: the same bits as on one, in whatever order the lanes come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from threading import Event
from time import sleep
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from benchmarks.libraries import library
from benchmarks.workload import load, names
from minigrad.backend import blas, threads
from minigrad.engine.recording import replayed
from minigrad.engine.tensor import Tensor
from minigrad.ops import pool
from minigrad.ops.windows import place
from minigrad.replay import tiles
from minigrad.replay.ir import TEMP, Instr, Storage, View
from minigrad.replay.passes import lanes as lanes_pass

Functions = Sequence[Callable[[int], None]]
TRAINED = [name for name in names() if load(name).training is not None]
lanes_module = sys.modules[lanes_pass.__module__]


@pytest.fixture
def eager_to_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let even the smallest work be dealt out."""
    for name, value in {"PAYS": 0.0, "_SMALL": 0.0, "GAINS": 1e9}.items():
        monkeypatch.setattr(lanes_module, name, value)


def backwards(chains: Iterable[int], functions: Functions) -> None:
    """Run chains one after another, the last first, each on the next thread."""
    for k in reversed(list(chains)):
        functions[-1 - k % len(functions)](k)


def in_turns(chains: Iterable[int], functions: Functions) -> None:
    for k in chains:
        functions[k % len(functions)](k)


def by_the_last(chains: Iterable[int], functions: Functions) -> None:
    """Run all chains in the memory of the last thread."""
    for k in chains:
        functions[-1](k)


DEALT = {"free": threads.deal, "backwards": backwards, "in turns": in_turns, "last": by_the_last}


def trained(
    name: str, count: int, steps: int = 12, size: str = "small"
) -> tuple[list[Any], list[str]]:
    """Return losses and parameters after some steps, and the program's instructions."""
    made = load(name)
    mg.manual_seed(5)
    sizes = getattr(made, size)
    loop = made.training.loop(library("minigrad"), **sizes)
    run = mg.capture(loop.step, threads=count)
    rng = np.random.default_rng(3)
    batches = [map(mg.tensor, made.training.batch(rng, **sizes)) for _ in range(steps)]
    found = [run(*batch).numpy().copy() for batch in batches]
    found += [p.detach().numpy() for p in loop.model.parameters()]
    return found, [instr.kind for instr in run.programs[-1].instrs]


@pytest.mark.slow
@pytest.mark.usefixtures("eager_to_share")
@pytest.mark.parametrize("name", TRAINED)
def test_lanes_give_the_same_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, kinds = trained(name, 1)
    assert "lanes" not in kinds
    ways = ((2, "free"), (3, "free"), (2, "backwards"), (4, "in turns"), (3, "last"))
    for count, way in ways:
        monkeypatch.setattr(tiles, "deal", DEALT[way])
        found, kinds = trained(name, count)
        assert "lanes" in kinds
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.slow
@pytest.mark.parametrize("way", DEALT)
def test_a_network_of_images_gives_the_same_bits_in_full_size(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Products are cut by rows here; each part's numbers are added in the same order.

    BLAS does not promise that: where it takes another way for fewer rows, the last bits differ.
    """
    expected, kinds = trained("cnn", 1, 3, "sizes")
    assert "lanes" not in kinds
    monkeypatch.setattr(tiles, "deal", DEALT[way])
    found, kinds = trained("cnn", 2, 3, "sizes")
    assert "lanes" in kinds
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def branches(x: Tensor, w: Tensor) -> Tensor:
    """Compute two long branches and what needs both."""
    a, b = x, x
    for _ in range(4):
        a, b = (a @ w).tanh(), (b @ w.T).sigmoid()
    return (a * b).sum()


def test_branches_are_dealt_out_where_it_pays() -> None:
    rng = np.random.default_rng(0)
    replays = {n: mg.capture(branches, threads=n) for n in (1, 2)}
    for size, shared in ((8, False), (600, blas.blas_threads() == 1)):
        x, w = (mg.tensor(rng.standard_normal((size, size)) / size).float() for _ in range(2))
        results = {n: replay(x, w).item() for n, replay in replays.items()}
        assert results[1] == results[2]
        for n, replay in replays.items():
            kinds = {i.kind for i in replay.programs[-1].instrs}
            assert ("lanes" in kinds) == (shared and n == 2)


@pytest.mark.usefixtures("eager_to_share")
def test_blas_has_one_thread_meanwhile_and_its_own_afterwards() -> None:
    functions = blas._functions()
    if functions is None:
        pytest.skip("NumPy's BLAS is no OpenBLAS that says how many threads it has")
    get, set_to = functions
    before = get()
    seen: list[int | None] = []

    def look(x: Tensor) -> Tensor:
        mg.nn.utils.clip_grad_norm_([w], 1.0)
        return branches(x, w)

    w = mg.eye(5).requires_grad_()
    w.grad = mg.ones(5, 5)
    replay = mg.capture(look, threads=2)
    try:
        set_to(2)
        many = get()  # where there is one core, it may stay 1
        for _ in range(3):
            replay(mg.eye(5))
            seen.append(blas.blas_threads())
        program = replay.programs[-1]
        assert any(i.kind == "lanes" for i in program.instrs)
        assert blas.kept_to(1, blas.blas_threads)() == 1
        assert seen == [many] * 3
    finally:
        set_to(before)


def test_products_alone_are_given_to_blas_profiled_or_not() -> None:
    before = blas.blas_threads()
    if before is None:
        pytest.skip("NumPy's BLAS is none whose threads can be set")
    seen: list[int | None] = []

    @replayed
    def look(x: Tensor) -> Tensor:
        seen.append(blas.blas_threads())
        return x * 1

    try:
        mg.set_num_threads(2)
        many = blas.blas_threads()  # where there is one core, it may stay 1
        replay = mg.capture(lambda x: look(x @ x))
        replay(mg.eye(5))
        blas.set_blas_threads(1)  # as when convolutions have taken the cores
        seen.clear()
        replay(mg.eye(5))
        with mg.profile():
            replay(mg.eye(5))
        assert seen == [many, many]
        assert blas.blas_threads() == 1
    finally:
        mg.set_num_threads(None)
    assert blas.blas_threads() == before


@pytest.mark.parametrize("first", [0, 1])
def test_an_error_in_a_chain_is_raised_when_all_have_ended(first: int) -> None:
    """Then the threads are free again."""
    begun, ended = Event(), Event()

    def fails() -> None:
        begun.wait(5)
        raise FloatingPointError("in a chain")

    def goes_on() -> None:
        begun.set()
        sleep(0.05)
        ended.set()

    chains = [fails, goes_on] if first == 0 else [goes_on, fails]
    for _ in range(3):
        begun.clear()
        ended.clear()
        with pytest.raises(FloatingPointError, match="in a chain"):
            threads.deal(chains, [lambda chain: chain()] * 2)
        assert ended.is_set()


@pytest.mark.usefixtures("eager_to_share")
def test_rows_of_elementwise_work_are_shared() -> None:
    def step(x: Tensor) -> Tensor:
        x = x.detach().requires_grad_()
        mg.nn.functional.max_pool2d(x.tanh(), 2).backward(mg.ones(6, 3, 4, 4))
        return x.grad

    x = mg.randn(6, 3, 8, 8)
    shared = mg.capture(step, threads=2, passes=["lanes"])
    for values in (x, x + 1):
        np.testing.assert_array_equal(shared(values).numpy(), step(values).numpy())
    parts = [part for i in shared.programs[-1].instrs for part in i.parts]
    rows = {p.lane: p.outs[0].shape[0] for p in parts if p.name == "tanh"}
    assert rows == {0: 2, 1: 2, 2: 1, 3: 1}  # two pieces for each thread


@pytest.mark.usefixtures("eager_to_share")
@pytest.mark.parametrize(("shape", "pieces"), [((5, 2, 8, 8), [2, 3]), ((3, 8, 8), [2, 1])])
def test_rows_that_stand_alone_are_shared(shape: tuple[int, ...], pieces: list[int]) -> None:
    """Max pooling's backward is one call; an image without a batch has no rows of its own."""
    where = place((8, 8), 2, 2, 0, 1)
    small = (*shape[:-2], 4, 4)
    g, x, y, gx = (view(s) for s in (small, shape, small, shape))
    call = Instr("opaque", "pooling", pool._window_max_x, (g, x, y, where), {}, [gx])
    cut = lanes_module._pieces(call, 2)
    assert [c.outs[0].shape[0] for c in cut] == pieces
    assert all(c.args[3] is where and c.args[0].shape[0] == c.outs[0].shape[0] for c in cut)
    assert cut[1].outs[0].offset == pieces[0] * gx.strides[0]
    alone = tuple(map(view, ((4, 4), (8, 8), (4, 4))))
    flat = Instr("opaque", "pooling", pool._window_max_x, (*alone, where), {}, [view((8, 8))])
    assert lanes_module._pieces(flat, 2) == [flat]


def view(shape: tuple[int, ...]) -> View:
    array = np.empty(shape, np.float32)
    return View(Storage(0, TEMP, array.nbytes, 0, None), 0, shape, array.strides, array.dtype)
