"""Lanes, helper by helper: each leaves the result of the program as it was."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.tensor import Tensor
from minigrad.replay import PASSES, tiles
from minigrad.replay.ir import TEMP, Instr, Storage, View, pointer
from minigrad.replay.program import Program
from tests.replay.test_threads import DEALT

lanes = sys.modules[PASSES["lanes"].__module__]
SIZE = 12  # floats of a storage
SEEDS = range(60)


@pytest.fixture
def eager_to_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let even the smallest work be dealt out."""
    for name, value in {"PAYS": 0.0, "_SMALL": 0.0, "GAINS": 1e9}.items():
        monkeypatch.setattr(lanes, name, value)


# ---- random programs ----------------------------------------------------------------------------


def floats(number: int, *shape: int) -> View:
    strides = np.empty(shape).strides
    storage = Storage(number, TEMP, 8 * int(np.prod(shape)), 0, None)
    return View(storage, 0, shape, strides, np.dtype(float))


def some_view(rng: Any, storages: Sequence[Storage], shape: tuple[int, ...]) -> View:
    """Return floats of a storage, in some order: two such views may overlap."""
    storage = storages[rng.integers(len(storages))]
    if len(shape) == 2 and rng.random() < 0.3:  # turned
        strides = (8, 8 * shape[0])
    else:
        steps = [int(np.prod(shape[k + 1 :])) for k in range(len(shape))]
        strides = tuple(8 * s for s in steps)
    first = rng.integers(SIZE - np.prod(shape) + 1)
    return View(storage, 8 * int(first), shape, strides, np.dtype(float))


def some_instr(rng: Any, storages: Sequence[Storage], also: Sequence[Storage] = ()) -> Instr:
    """Return a fill, a copy or a call on views of some storages, reading others also."""
    shape = [(4,), (6,), (2, 3), (4, 2)][rng.integers(4)]
    out = some_view(rng, storages, shape)

    def operand() -> View:
        if rng.random() < 0.2:
            return out
        return some_view(rng, [*storages, *also], shape[1:] if rng.random() < 0.2 else shape)

    kind = rng.integers(5)
    if kind == 0:
        return Instr("copy", "fill", np.copyto, (float(rng.integers(5)),), {}, [out])
    if kind == 1:
        return Instr("copy", "copy", np.copyto, (operand(),), {}, [out])
    if kind == 2:
        return Instr("ufunc", "subtract", np.subtract, (operand(), operand()), {}, [out])
    if kind == 3:
        return Instr("ufunc", "negative", np.negative, (operand(),), {}, [out])
    row = some_view(rng, storages, shape)
    last = View(out.storage, out.offset, shape[1:], out.strides[1:], out.dtype)
    return Instr("method", "add.reduce", np.add.reduce, (row,), {"axis": 0}, [last])


def random_program(
    seed: int, count: int = 14, places: int = 4
) -> tuple[list[Instr], list[Storage]]:
    """Return instructions on some storages, the first of which fill them."""
    rng = np.random.default_rng(seed)
    storages = [Storage(k, TEMP, 8 * SIZE, 0, None) for k in range(places)]
    whole = [View(s, 0, (SIZE,), (8,), np.dtype(float)) for s in storages]
    begin = [
        Instr("copy", "begin", np.copyto, (rng.integers(-9, 9, SIZE) * 1.0,), {}, [v])
        for v in whole[:2]
    ]
    begin += [Instr("ufunc", "sin", np.sin, (whole[0],), {}, [whole[k]]) for k in range(2, places)]
    return begin + [some_instr(rng, storages) for _ in range(count)], storages


def three_strands(seed: int) -> tuple[list[Instr], list[View]]:
    """Return three programs, each on storages of its own, with knots now and then; the results."""
    rng = np.random.default_rng(seed)
    whole = [floats(k, SIZE) for k in range(10)]
    source, results, own = whole[0], whole[1:4], whole[4:]
    begin = rng.integers(-9, 9, SIZE) * 1.0
    instrs = [Instr("copy", "begin", np.copyto, (begin,), {}, [source])]
    for k in (0, 2, 4):
        instrs.append(Instr("ufunc", "sin", np.sin, (source,), {}, [own[k]]))
        instrs.append(Instr("ufunc", "cos", np.cos, (own[k],), {}, [own[k + 1]]))
    for _ in range(24):
        strand = 2 * rng.integers(3)
        free = own if rng.random() < 0.05 else own[strand : strand + 2]
        instrs.append(some_instr(rng, [v.storage for v in free], [source.storage]))
    for k, result in enumerate(results):
        instrs.append(Instr("ufunc", "add", np.add, (own[2 * k], own[2 * k + 1]), {}, [result]))
    return instrs, results


def outcome(seed: int, count: int, passes: Any) -> tuple[Program, list[Any]]:
    """Return a random program, and what lies in some of its storages after two runs."""
    instrs, results = three_strands(seed)
    program = Program("random", instrs, [], results, [], passes, count)
    with np.errstate(all="ignore"):
        for _ in range(2):
            program.run()
    return program, [v.array.copy() for v in program.outputs]


@pytest.mark.usefixtures("eager_to_share")
@pytest.mark.parametrize("way", DEALT)
@pytest.mark.parametrize("count", [2, 3])
def test_random_programs_give_the_same_bits(
    count: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their instructions overwrite parts of what others read and wrote."""
    monkeypatch.setattr(tiles, "deal", DEALT[way])
    dealt = apart = 0
    pieces = lanes._pieces
    for seed in range(20):
        # what is cut lies in several chains; half of the programs have memory of a chain's own
        monkeypatch.setattr(lanes, "_pieces", (pieces, lambda instr, count: [instr])[seed % 2])
        _, expected = outcome(seed, 1, {})
        for passes in ({"lanes": PASSES["lanes"]}, PASSES):
            program, found = outcome(seed, count, passes)
            dealt += any(i.kind == "lanes" for i in program.instrs)
            apart += any(i.scratch is not None for i in program.instrs)
            for a, b in zip(found, expected, strict=True):
                assert a.tobytes() == b.tobytes(), seed
    assert dealt == 40
    assert apart > 9


def by_itself(instrs: Iterable[Instr], storages: list[Storage]) -> list[bytes]:
    """Return the bytes in the storages after the instructions, one after another."""
    memory = {s: np.zeros(s.nbytes, np.uint8) for s in storages}

    def array(v: View) -> Any:
        return np.ndarray(v.shape, v.dtype, memory[v.storage], v.offset, v.strides)

    for instr in instrs:
        args = [array(a) if isinstance(a, View) else a for a in instr.args]
        if instr.kind == "copy":
            array(instr.outs[0])[...] = args[0]
        else:
            instr.run(*args, **instr.kwargs, out=array(instr.outs[0]))
    return [m.tobytes() for m in memory.values()]


def test_depth_first_keeps_what_depends_in_order() -> None:
    moved = 0
    for seed in SEEDS:
        instrs, storages = random_program(seed)
        ordered = lanes._depth_first(instrs)
        assert sorted(map(id, ordered)) == sorted(map(id, instrs))
        assert by_itself(ordered, storages) == by_itself(instrs, storages), seed
        moved += ordered != instrs
    assert moved > len(SEEDS) // 2


def test_depth_first_uses_results_soon() -> None:
    a, b, c, d = (Storage(k, TEMP, 8 * SIZE, 0, None) for k in range(4))
    one, two, three, four = (View(s, 0, (SIZE,), (8,), np.dtype(float)) for s in (a, b, c, d))
    chain = [
        Instr("ufunc", "first", np.sin, (one,), {}, [two]),
        Instr("ufunc", "second", np.sin, (one,), {}, [three]),
        Instr("ufunc", "of the first", np.cos, (two,), {}, [four]),
    ]
    names = [i.name for i in lanes._depth_first(chain)]
    assert names == ["first", "of the first", "second"]


@pytest.mark.usefixtures("eager_to_share")
def test_a_region_is_in_an_order_that_gives_the_same() -> None:
    """Before, chains, after: any order of the chains; copies and fills move as they may."""
    for seed in SEEDS:
        instrs, storages = random_program(seed, 20)
        region = lanes._region(instrs, 3)
        rest = instrs[region.looked_at :]
        for chains in (region.chains, region.chains[::-1]):
            order = [*region.before, *(i for chain in chains for i in chain), *region.after, *rest]
            assert len(order) == len(instrs)
            assert by_itself(order, storages) == by_itself(instrs, storages), seed


def test_copies_that_nothing_wants_yet_wait() -> None:
    """A copy taken in past an instruction that waits would lie about; one that shrinks may not."""
    a, b, c, d = (floats(k, SIZE) for k in range(4))
    sums = floats(4)
    instrs = [
        Instr("ufunc", "sin", np.sin, (a,), {}, [b]),
        Instr("opaque", "waits", len, (b,), {}, [d]),
        Instr("copy", "copy", np.copyto, (a,), {}, [c]),
        Instr("method", "add.reduce", np.add.reduce, (a,), {}, [sums]),
        Instr("copy", "fill", np.copyto, (0.0,), {}, [floats(5, SIZE)]),
    ]
    chain_of: dict[int, int | None] = {0: 0, 2: 1, 3: 2, 4: None}
    lanes._drop_early(instrs, chain_of)
    assert chain_of == {0: 0, 3: 2}
    wanted = [*instrs, Instr("ufunc", "sin", np.sin, (c,), {}, [floats(6)])]
    chain_of = {0: 0, 2: 1, 3: 2, 4: None, 5: 1}
    lanes._drop_early(wanted, chain_of)
    assert chain_of == {0: 0, 2: 1, 3: 2, 5: 1}


def test_a_chain_fills_what_it_alone_wants() -> None:
    a, b = floats(0, SIZE), floats(1, SIZE)
    instrs = [
        Instr("copy", "fill a", np.copyto, (0.0,), {}, [a]),
        Instr("copy", "fill b", np.copyto, (0.0,), {}, [b]),
        Instr("ufunc", "sin", np.sin, (a,), {}, [floats(2, SIZE)]),
        Instr("ufunc", "add", np.add, (a, b), {}, [floats(3, SIZE)]),
        Instr("ufunc", "cos", np.cos, (a,), {}, [floats(4, SIZE)]),
    ]
    chain_of: dict[int, int | None] = {0: None, 1: None, 2: 0, 3: 1, 4: 0}
    lanes._give_fills(instrs, chain_of)
    assert chain_of == {0: None, 1: 1, 2: 0, 3: 1, 4: 0}


# ---- pieces -------------------------------------------------------------------------------------


def cut(instr: Instr, count: int = 4) -> list[int]:
    """Return how many rows each piece has, after a look at what all of them compute."""
    storages = [*dict.fromkeys(v.storage for v in (*instr.operands(), *instr.outs))]
    rng = np.random.default_rng(1)
    begin = [
        Instr("copy", "begin", np.copyto, (rng.standard_normal(n),), {}, [
            View(s, 0, (n,), (8,), np.dtype(float))
        ])
        for s in storages for n in [s.nbytes // 8]
    ]  # fmt: skip
    pieces = lanes._pieces(instr, count)
    found = by_itself([*begin, *pieces], storages)
    expected = by_itself([*begin, instr], storages)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.frombuffer(a), np.frombuffer(b), 1e-13, 1e-13)
        assert instr.run is np.matmul or a == b
    return [p.outs[0].shape[0] for p in pieces]


def product(a: View, b: View, out: View) -> Instr:
    return Instr("ufunc", "matmul", np.matmul, (a, b), {}, [out])


@pytest.mark.usefixtures("eager_to_share")
def test_products_are_cut_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "PRODUCTS", 64)
    monkeypatch.setattr(lanes, "ROWS", 4)
    a, b, c = floats(0, 16, 8), floats(1, 8, 5), floats(2, 16, 5)
    assert cut(product(a, b, c)) == [4, 4, 4, 4]
    assert cut(product(a, b, c), 3) == [6, 4, 6]
    assert cut(product(floats(0, 5, 8).turned, floats(1, 5, 4), floats(2, 8, 4)), 2) == [4, 4]
    assert cut(product(floats(0, 6, 8), b, floats(2, 6, 5))) == [6]  # too few rows
    assert cut(product(floats(0, 16, 1), floats(1, 1, 2), floats(2, 16, 2))) == [16]
    x = floats(0, 16, 16)
    assert cut(product(x, x, floats(2, 16, 16))) == [16]  # its rows are columns' numbers as well
    assert cut(product(x, x.turned, floats(2, 16, 16))) == [4, 4, 4, 4]
    assert cut(product(floats(0, 3, 8, 8), floats(1, 3, 8, 8), floats(2, 3, 8, 8))) == [3]
    assert cut(product(x, floats(1, 16), floats(2, 16))) == [16]


@pytest.mark.usefixtures("eager_to_share")
def test_copies_and_elementwise_work_are_cut_by_rows() -> None:
    a, b, c = floats(0, 8, 8), floats(1, 8, 8), floats(2, 8)

    def copied(source: Any, out: View) -> Instr:
        return Instr("copy", "copy", np.copyto, (source,), {}, [out])

    def added(x: Any, y: Any, out: View) -> Instr:
        return Instr("ufunc", "add", np.add, (x, y), {}, [out])

    assert cut(copied(a, b)) == cut(copied(a.turned, b)) == [2, 2, 2, 2]
    assert cut(copied(c, b)) == [8]  # one row again and again, of as many numbers as rows
    assert cut(copied(1.5, b)) == [8]
    assert cut(added(a, 2.0, b)) == cut(added(a, a, a)) == [2, 2, 2, 2]
    assert cut(added(a, c, b)) == [8]
    assert cut(added(floats(0, 8, 5), floats(2, 5), floats(3, 8, 5))) == [2, 2, 2, 2]
    assert cut(added(floats(0, 8, 5), floats(2, 1, 5), floats(3, 8, 5))) == [2, 2, 2, 2]
    # what one piece writes another would read
    assert cut(added(a.rows(0, 6), a.rows(2, 8), a.rows(2, 8))) == [6]
    assert cut(copied(a.rows(0, 6), a.rows(2, 8))) == [6]
    assert cut(copied(a.rows(0, 4), a.rows(4, 8))) == [1, 1, 1, 1]
    assert cut(added(a, a.turned, a)) == [8]


# ---- captured -----------------------------------------------------------------------------------


def square(x: Tensor) -> Tensor:
    return (x @ x).sin() + (x @ x.T).cos()


def shifted(x: Tensor) -> Tensor:
    y = x + 1
    y[1:] += y[:-1]
    y[2:] = y[:-2]
    return y * 2


def repeated(x: Tensor) -> Tensor:
    y = mg.zeros(*x.shape)
    y[...] = x[0].sin()
    return y + 1


def chosen(x: Tensor) -> Tensor:
    """np.where gives a new array: it is stored where the thread's memory is."""
    a = b = x
    for _ in range(3):
        a, b = mg.where(a > 0, a.sin(), -a), mg.where(b > 0, -b, b.cos())
    return a + b


@pytest.mark.usefixtures("eager_to_share")
@pytest.mark.parametrize("way", DEALT)
@pytest.mark.parametrize("function", [square, shifted, repeated, chosen])
def test_what_once_went_wrong(function: Any, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "deal", DEALT[way])
    monkeypatch.setattr(lanes, "PRODUCTS", 64)
    x = mg.tensor(np.random.default_rng(2).standard_normal((64, 64)))
    for passes in (["lanes"], list(PASSES)):
        run = mg.capture(function, threads=2, passes=passes)
        for given in (x, -x):
            np.testing.assert_allclose(run(given).numpy(), function(given).numpy(), 1e-13)
        assert any(i.kind == "lanes" for i in run.programs[-1].instrs)


def test_adding_in_place_records_no_copy() -> None:
    """Python writes ``x[i] += y`` back to where the sum lies already."""

    def in_place(x: Tensor) -> Tensor:
        y = x * 2
        rows = y._array
        rows[1:3] += rows[0]
        rows[..., 0] *= rows[3]
        return y

    x = mg.tensor(np.random.default_rng(3).standard_normal((4, 4)))
    run = mg.capture(in_place, passes=[])
    for given in (x, x + 1):
        np.testing.assert_array_equal(run(given).numpy(), in_place(given).numpy())
    assert [i.name for i in run.programs[-1].instrs] == ["multiply", "add", "multiply"]


# ---- memory of threads --------------------------------------------------------------------------


def arrays_of(function: Any, group: Instr) -> list[tuple[int, int]]:
    """Return where a chain's arrays lie that are in the memory of threads."""
    low, high = np.lib.array_utils.byte_bounds(group.scratch.array)
    found = []
    for thing in function.__globals__.values():
        things = thing if isinstance(thing, (tuple, list)) else [thing]
        for x in things:
            if isinstance(x, np.ndarray) and x.nbytes and low <= pointer(x) < high:
                found.append(np.lib.array_utils.byte_bounds(x))
    return found


@pytest.mark.usefixtures("eager_to_share")
@pytest.mark.parametrize("count", [2, 3])
def test_threads_share_no_memory(count: int) -> None:
    """What a chain uses on a thread lies in that thread's piece of the scratch memory."""

    def branches(x: Tensor) -> Tensor:
        ends = []
        for k in range(4):
            y = x + k
            for _ in range(3):
                y = mg.where(y > 0, y.sin() @ y.T, y.cos())
            ends.append(y)
        return mg.stack(ends)

    x = mg.tensor(np.random.default_rng(5).standard_normal((16, 16)))
    run = mg.capture(branches, threads=count)
    run(x)
    groups = [i for i in run.programs[-1].instrs if i.kind == "lanes" and i.scratch]
    assert groups
    for group in groups:
        start, end = np.lib.array_utils.byte_bounds(group.scratch.array)
        assert (end - start) % count == 0
        size = (end - start) // count
        seen = 0
        for k in {part.lane for part in group.parts}:
            chain = [part for part in group.parts if part.lane == k]
            first = tiles.Emitter().function("chain", chain)[0]
            for thread in range(count):
                moved = tiles._moved(first, group.scratch, thread, count)
                for low, high in arrays_of(moved, group):
                    assert start + thread * size <= low < high <= start + (thread + 1) * size
                    seen += 1
        assert seen
