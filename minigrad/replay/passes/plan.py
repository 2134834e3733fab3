"""Buffer planning: results that are not alive together share memory."""

from __future__ import annotations

from typing import Any

from minigrad.replay.ir import Instr, Storage, View
from minigrad.replay.program import lifetimes

_ALIGN = 64


def plan(program: Any) -> None:
    """Give each temporary storage a place in one buffer.

    An elementwise result takes over the memory of an operand that is used there for the last
    time. Then the largest are placed first, each at the lowest address where nothing that is
    alive at the same time lies.
    """
    times = lifetimes(program)
    group: dict[Storage, Storage] = {s: s for s in times}
    ends = dict(times)
    for i, instr in enumerate(program.instrs):
        out = instr.outs[0].storage if _in_place(instr) else None
        if out is None or out not in times or times[out][0] != i:
            continue
        for v in instr.operands():
            s = v.storage
            if s in times and s is not out and times[s][1] == i and _same(v, instr.outs[0]):
                if any(w is not v and w.storage is s and w.place != v.place
                       for w in instr.operands()):  # fmt: skip
                    continue
                root = group[s]
                if ends[root][1] != i:
                    continue
                group[out] = root
                ends[root] = (ends[root][0], times[out][1])
                instr.touched.append("plan")
                break
    for s in list(group):  # roots of roots
        while group[s] is not group[group[s]]:
            group[s] = group[group[s]]
    sizes: dict[Storage, int] = {}
    for s, root in group.items():
        sizes[root] = max(sizes.get(root, 0), s.nbytes)
    places, total = pack(sizes, ends)
    program.place({s: places[root] for s, root in group.items()}, total)


def pack(
    sizes: dict[Storage, int], times: dict[Storage, tuple[int, int]]
) -> tuple[dict[Storage, int], int]:
    """Return where storages lie that are alive at these times, and the bytes of all."""
    places: dict[Storage, int] = {}
    total = 0
    placed: list[tuple[int, int, int, int]] = []  # address, end, first, last
    for storage in sorted(sizes, key=lambda s: (-sizes[s], s.number)):
        first, last = times[storage]
        size = -(-max(sizes[storage], 1) // _ALIGN) * _ALIGN
        at = 0
        for low, high, *_ in sorted(p for p in placed if p[2] <= last and first <= p[3]):
            if at + size <= low:
                break
            at = max(at, high)
        placed.append((at, at + size, first, last))
        places[storage] = at
        total = max(total, at + size)
    return places, total


def _in_place(instr: Instr) -> bool:
    return instr.elementwise and instr.outs[0].whole and not instr.parts


def _same(v: View, out: View) -> bool:
    """Say whether each element of the result can lie where the operand's lies."""
    return (
        v.whole
        and (v.shape, v.strides) == (out.shape, out.strides)
        and v.dtype.itemsize == out.dtype.itemsize
    )
