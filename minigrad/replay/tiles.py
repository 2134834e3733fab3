"""How a fused group runs: its calls on one tile after another, on one thread or several."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from minigrad.replay.emit import Emitter
from minigrad.replay.ir import Instr, Storage, View
from minigrad.replay.passes.fuse import CACHE

_SHARED = 1 << 19  # elements above which handing work to a thread (80 us) pays


@cache
def _workers(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="minigrad-replay")


def runner(group: Instr, threads: int) -> Callable[[], None]:
    """Return a function that runs a fused group."""
    size = group.parts[0].outs[0].size
    registers, count = _registers(group)
    widest = max(v.dtype.itemsize for part in group.parts for v in part.outs)
    tile = max(4096, CACHE // (widest * (count + 2)) // 1024 * 1024)
    if threads == 1 or size < _SHARED:
        return _loop(group, registers, count, tile, 0, size)
    share = -(-size // threads // 1024) * 1024
    parts = [
        _loop(group, registers, count, tile, low, min(low + share, size))
        for low in range(0, size, share)
    ]

    def run() -> None:
        waiting = [_workers(threads - 1).submit(_quiet, part) for part in parts[1:]]
        parts[0]()
        for w in waiting:
            w.result()

    return run


def _quiet(run: Callable[[], None]) -> None:
    with np.errstate(all="ignore"):  # what is on in one thread is not in another
        run()


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
        for s in sorted(dying - {out}, key=lambda s: s.number):
            if s in registers:
                free.append(registers[s])
        if out in group.local and out not in registers:
            if free:
                registers[out] = free.pop()
            else:
                registers[out] = count
                count += 1
        if last.get(out) == i and out in registers:
            free.append(registers[out])
    return registers, count


def _loop(
    group: Instr, registers: dict[Storage, int], count: int, tile: int, start: int, end: int
) -> Callable[[], None]:
    widest = max(v.dtype.itemsize for part in group.parts for v in part.outs)
    scratch = [np.empty(tile * widest, np.uint8) for _ in range(count)]
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
        out = part.outs[0]
        args = [ref(a, out) for a in part.arguments()]
        into = ref(out, out)
        if part.kind == "copy":
            lines.append(f"{into}[...] = {args[0]}")
        else:
            options = [f"{k}={emitter.value(v)}" for k, v in part.kwargs.items()]
            run = emitter.name(part.run, part.name)
            lines.append(f"{run}({', '.join([*args, *options, f'out={into}'])})")
    tiles = []
    for low in range(start, end, tile):
        high = min(low + tile, end)
        tiles.append(tuple(_stretch(v, group, registers, scratch, low, high) for v in moving))
    names = ", ".join(f"v{k}" for k in range(len(moving)))
    body = "\n        ".join(lines)
    text = f"def loop():\n    for {names}, in tiles:\n        {body}"
    space = {**emitter.space, "tiles": tiles}
    exec(compile(text, "<fused group>", "exec"), space)
    return space["loop"]


def _stretch(
    v: View, group: Instr, registers: dict[Storage, int], scratch: list[Any], low: int, high: int
) -> Any:
    if v.storage in group.local:
        raw = scratch[registers[v.storage]]
        return raw[: (high - low) * v.dtype.itemsize].view(v.dtype)
    return v.array.reshape(-1)[low:high]
