"""How a fused group runs: its calls on one tile after another, on one thread or several."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from minigrad.backend.threads import deal, share
from minigrad.replay.emit import Emitter
from minigrad.replay.ir import Instr, Storage, View, map_views, pointer
from minigrad.replay.passes.fuse import CACHE, SHARED, sums_all

SMALLEST = 4096  # elements of a tile
# Threads take turns at Python between two calls: with tiles this much larger there are fewer turns
# (a million elements on 2 threads 2.3 -> 1.5 ms; on one thread 3.0 either way)
LARGER = 4


def scratch_bytes(group: Instr, threads: int) -> int:
    """Return how much memory for tiles a thread needs that runs a fused group."""
    count = _registers(group)[1]
    return count * min(_tile(group, count, threads), group.parts[0].outs[0].size) * _widest(group)


def runner(group: Instr, threads: int, scratch: list[Any]) -> Callable[[], None]:
    """Return a function that runs a fused group; ``scratch`` is memory for tiles by thread."""
    size = group.parts[0].outs[0].size
    registers, count = _registers(group)
    tile = _tile(group, count, threads)
    sums = [part for part in group.parts if sums_all(part)]
    tiles = halves(0, size, tile) if sums else even(size, tile)
    partial = [np.zeros(len(tiles), part.outs[0].dtype) for part in sums]
    parts: list[Callable[[], None]] = []
    threads = _count(group, threads)
    each = -(-len(tiles) // threads)
    for k in range(0, len(tiles), each):
        numbered = list(enumerate(tiles))[k : k + each]
        buffers = _registers_in(scratch[len(parts)], group, count, min(tile, size))
        parts.append(_loop(group, registers, buffers, numbered, sums, partial))
    ends = [(p, part.outs[0].array.reshape(())) for p, part in zip(partial, sums, strict=True)]

    def run() -> None:
        share(parts)
        for values, out in ends:
            out[...] = _tree(values, 0, size, tile, 0)[0]

    return parts[0] if len(parts) == 1 and not sums else run


def side_by_side(group: Instr, threads: int) -> Callable[[], None]:
    """Return a function that runs a group's chains, each on the thread that is free first.

    What a chain alone uses lies in the memory of the thread that runs it.
    """
    count = 1 + max(part.lane for part in group.parts)
    chains = [[part for part in group.parts if part.lane == k] for k in range(count)]
    first = [Emitter().function("chain", chain)[0] for chain in chains]
    by_thread = [[_moved(f, group.scratch, k, threads) for f in first] for k in range(threads)]

    def on(own: list[Any]) -> Callable[[int], None]:
        return lambda k: own[k]()

    functions = [on(own) for own in by_thread]
    return lambda: deal(range(count), functions)


def _moved(function: Any, scratch: View | None, k: int, threads: int) -> Any:
    """Return a function over the arrays of thread k, in its part of the scratch memory."""
    if k == 0 or scratch is None:
        return function
    memory = scratch.array
    start, size = pointer(memory), memory.nbytes // threads

    def moved(x: Any) -> Any:
        if not x.nbytes or not 0 <= pointer(x) - start < memory.nbytes:
            return x
        at = pointer(x) - start + k * size
        return np.ndarray(x.shape, x.dtype, memory, at, x.strides)

    space = {name: map_views(x, moved, np.ndarray) for name, x in function.__globals__.items()}
    return FunctionType(function.__code__, space, function.__name__)


def _widest(group: Instr) -> int:
    return max(v.dtype.itemsize for part in group.parts for v in part.outs)


def _count(group: Instr, threads: int) -> int:
    """Return how many of so many threads share a group."""
    return threads if group.parts[0].outs[0].size >= SHARED else 1


def _tile(group: Instr, count: int, threads: int) -> int:
    """Return the elements of a tile with so many buffers."""
    cache = CACHE if _count(group, threads) == 1 else CACHE * LARGER
    return max(SMALLEST, cache // (_widest(group) * (count + 2)) // 1024 * 1024)


def _registers_in(scratch: Any, group: Instr, count: int, tile: int) -> list[Any]:
    """Return the buffers of a tile, side by side in a thread's memory."""
    nbytes = tile * _widest(group)
    return [scratch[k * nbytes : (k + 1) * nbytes] for k in range(count)]


def even(size: int, tile: int) -> list[tuple[int, int]]:
    """Return where tiles of one size begin and end."""
    return [(low, min(low + tile, size)) for low in range(0, size, tile)]


def half(size: int) -> int:
    """Return where NumPy's sum cuts that many elements in two."""
    return size // 2 - size // 2 % 8


def halves(low: int, high: int, tile: int) -> list[tuple[int, int]]:
    """Return where tiles begin and end that are cut in halves, as NumPy's sum does."""
    if high - low <= tile:
        return [(low, high)]
    middle = low + half(high - low)
    return halves(low, middle, tile) + halves(middle, high, tile)


def _tree(values: Any, low: int, high: int, tile: int, k: int) -> tuple[Any, int]:
    """Add the sums of tiles in the order in which NumPy would have added them."""
    if high - low <= tile:
        return values[k], k + 1
    middle = low + half(high - low)
    left, k = _tree(values, low, middle, tile, k)
    right, k = _tree(values, middle, high, tile, k)
    return left + right, k


def _registers(group: Instr) -> tuple[dict[Storage, int], int]:
    """Return which tile buffer each local result has, and how many buffers there are."""
    last: dict[Storage, int] = {}
    for i, part in enumerate(group.parts):
        for v in (*part.operands(), *part.outs):
            if v.storage in group.local:
                last[v.storage] = i
    registers: dict[Storage, int] = {}
    free: list[int] = []
    count = 0
    for i, part in enumerate(group.parts):
        out = part.outs[0].storage
        dying = {v.storage for v in part.operands() if last.get(v.storage) == i}
        # in place only over elements of the same size
        over = {
            v.storage for v in part.operands() if v.dtype.itemsize == part.outs[0].dtype.itemsize
        }
        ended = [s for s in sorted(dying - {out}, key=lambda s: s.number) if s in registers]
        free += [registers[s] for s in ended if s in over]
        if out in group.local and out not in registers:
            if free:
                registers[out] = free.pop()
            else:
                registers[out] = count
                count += 1
        free += [registers[s] for s in ended if s not in over]
        if last.get(out) == i and out in registers and out not in dying:
            free.append(registers[out])
    return registers, count


def _loop(
    group: Instr,
    registers: dict[Storage, int],
    scratch: list[Any],
    tiles: list[tuple[int, tuple[int, int]]],
    sums: list[Instr],
    partial: list[Any],
) -> Callable[[], None]:
    """Return a function that runs a group on some of the numbered tiles."""
    emitter = Emitter()
    slots: dict[Any, int] = {}  # views that change from tile to tile
    moving: list[View] = []

    def ref(x: Any, out: View) -> str:
        if not isinstance(x, View):
            return emitter.value(x)
        if x.storage not in group.local and (x.shape != out.shape or not any(x.strides)):
            return emitter.name(x.array.reshape(-1)[:1].reshape(()), str(x))
        if x.place not in slots:
            slots[x.place] = len(moving)
            moving.append(x)
        return f"v{slots[x.place]}"

    lines = []
    for part in group.parts:
        if part in sums:
            x = part.args[0]
            run = emitter.name(np.add.reduce, "add_reduce")
            lines.append(f"{run}({ref(x, x)}, None, None, s{sums.index(part)})")
            continue
        out = part.outs[0]
        args = [ref(a, out) for a in part.arguments()]
        into = ref(out, out)
        if part.kind == "copy":
            lines.append(f"{into}[...] = {args[0]}")
        else:
            options = [f"{k}={emitter.value(v)}" for k, v in part.kwargs.items()]
            run = emitter.name(part.run, part.name)
            lines.append(f"{run}({', '.join([*args, *options, f'out={into}'])})")
    steps = []
    for k, (low, high) in tiles:
        views = [_stretch(v, group, registers, scratch, low, high) for v in moving]
        steps.append((*views, *(p[k : k + 1].reshape(()) for p in partial)))
    names = ", ".join([f"v{k}" for k in range(len(moving))] + [f"s{k}" for k in range(len(sums))])
    body = "\n        ".join(lines)
    text = f"def loop():\n    for {names}, in steps:\n        {body}"
    space = {**emitter.space, "steps": steps}
    exec(compile(text, "<fused group>", "exec"), space)
    return space.pop("loop")  # no cycle: memory goes when the program does


def _stretch(
    v: View, group: Instr, registers: dict[Storage, int], scratch: list[Any], low: int, high: int
) -> Any:
    if v.storage in group.local:
        raw = scratch[registers[v.storage]]
        return raw[: (high - low) * v.dtype.itemsize].view(v.dtype)
    return v.array.reshape(-1)[low:high]
