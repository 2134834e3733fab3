"""Fusion on a GPU: which calls become one kernel (`minigrad.replay.chains` writes it)."""

from __future__ import annotations

from typing import Any

from minigrad.replay.chains import MOST, REDUCTIONS, rule_of
from minigrad.replay.ir import TEMP, Instr, Storage, View
from minigrad.replay.passes.groups import joined, localise, users_of

WINDOW = 64  # how many instructions later a group may still take one in


def fuse_chains(program: Any) -> None:
    """Gather elementwise calls with results of one shape; let a reduction of the last one end it.

    An instruction moves up to its group if nothing between them stands against it. All sizes pay:
    what is spared is a launch, and a pass through memory.
    """
    instrs: list[Instr | None] = list(program.instrs)
    result: list[Instr] = []
    for i, first in enumerate(instrs):
        if first is None:
            continue
        if not _fits(first):
            result.append(first)
            continue
        group, passed = [first], list[Instr]()
        for j in range(i + 1, min(i + 1 + WINDOW, len(instrs))):
            other = instrs[j]
            if other is None:
                continue
            if other.kind in ("python", "opaque") and not other.pure:
                break
            alike = _fits(other) and other.outs[0].shape == first.outs[0].shape
            if alike and _may_pass(other, passed) and _aligned([*group, other]):
                group.append(other)
                instrs[j] = None
            else:
                passed.append(other)
        result.append(joined(group, "in one kernel") if len(group) > 1 else first)
    program.instrs = result
    localise(program)
    _end_in_reductions(program)


def _fits(instr: Instr) -> bool:
    return not instr.prologue and instr.outs != [] and rule_of(instr) is not None


def _may_pass(instr: Instr, passed: list[Instr]) -> bool:
    """Say whether an instruction can run before those that it would pass."""
    reads, writes = {v.storage for v in instr.reads()}, {v.storage for v in instr.outs}
    return not any(
        {v.storage for v in p.outs} & (reads | writes) or writes & {v.storage for v in p.reads()}
        for p in passed
    )


def _aligned(group: list[Instr]) -> bool:
    """Say whether an element is written and read by one thread alone, and the kernel is not long.

    So what the group writes it sees in one way only.
    """
    written = {v.storage for part in group for v in part.outs}
    seen: dict[Storage, Any] = {}
    places = set()
    for part in group:
        for v in (*part.operands(), *part.outs):
            places.add(v.place)
            if v.storage in written and seen.setdefault(v.storage, v.place) != v.place:
                return False
    return len(places) <= MOST and all(_once(part.outs[0]) for part in group)


def _once(v: View) -> bool:
    """Say whether a view shows no byte twice."""
    low, high = v.span
    return v.size <= 1 or (0 not in v.strides and high - low >= v.nbytes)


def _end_in_reductions(program: Any) -> None:
    """Let a chain whose one result is only summed end in the sum."""
    users = users_of(program)
    makers: dict[Storage, int] = {}
    gone: set[int] = set()
    for i, instr in enumerate(program.instrs):
        x = instr.args[0] if instr.args else None
        if instr.kind == "method" and instr.name in REDUCTIONS and isinstance(x, View):
            k = makers.get(x.storage)
            if k is not None and _ends(program.instrs, k, i, users):
                maker = program.instrs[k]
                parts = [*(maker.parts or [maker]), instr]
                local = {*maker.local, x.storage}
                whole = joined(parts, "in one kernel")
                whole.outs, whole.local = list(instr.outs), local
                whole.also_reads = [v for v in whole.also_reads if v.storage not in local]
                program.instrs[i] = whole
                gone.add(k)
        for v in instr.outs:
            makers[v.storage] = i
    program.instrs = [instr for i, instr in enumerate(program.instrs) if i not in gone]


def _ends(instrs: list[Instr], k: int, i: int, users: dict[Storage, set[int]]) -> bool:
    """Say whether the reduction i can take in the chain k, which moves down to it."""
    chain, end = instrs[k], instrs[i]
    x, out = end.args[0], end.outs[0]
    if chain.kind != "fused" and (chain.prologue or rule_of(chain) is None):
        return False
    if chain.kind == "fused" and chain.parts[-1].kind == "method":
        return False
    last = (chain.parts or [chain])[-1].outs[0]
    reads = {v.storage for v in chain.reads()}
    return (
        [v.place for v in chain.outs] == [last.place] == [x.place]
        and x.storage.kind == TEMP
        and not x.storage.kept
        and x.whole
        and users[x.storage] == {k, i}
        and x.storage not in reads
        and x.dtype == out.dtype
        and x.dtype.kind == "f"
        and x.size > 0
        and len(end.args) <= 2
        and set(end.kwargs) <= {"axis", "keepdims"}
        and not any(v.storage in reads for p in instrs[k + 1 : i] for v in p.outs)
        and out.storage not in reads
    )
