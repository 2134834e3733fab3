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
    """Let a chain end in a reduction that alone uses its result.

    If the group of the chain has other results too, the chain leaves it, unless they share a step.
    """
    users = users_of(program)
    instrs: list[Instr | None] = list(program.instrs)
    makers: dict[Storage, int] = {}
    for i, end in enumerate(program.instrs):
        x = end.args[0] if end.args else None
        if end.kind == "method" and end.name in REDUCTIONS and isinstance(x, View):
            k = makers.get(x.storage)
            group = None if k is None else instrs[k]
            parts = None if group is None else _chain_of(group, x)
            between = [] if k is None else [p for p in instrs[k + 1 : i] if p is not None]
            alone = users[x.storage] == {k, i}
            if k is not None and group is not None and parts and _ends(between, parts, end, alone):
                rest = [p for p in (group.parts or [group]) if p not in parts]
                instrs[k] = _again(rest, group.local) if rest else None
                local = {x.storage, *group.local}
                instrs[i] = whole = _again([*parts, end], local)
                whole.outs = list(end.outs)
        for v in end.outs:
            makers[v.storage] = i
    program.instrs = [instr for instr in instrs if instr is not None]


def _again(parts: list[Instr], local: set[Storage]) -> Instr:
    """Return calls as one, their local results known; one call stays as it is."""
    if len(parts) == 1:
        return parts[0]
    whole = joined(parts, "in one kernel")
    whole.local = local & {v.storage for part in parts for v in part.outs}
    whole.outs = [v for v in whole.outs if v.storage not in whole.local]
    whole.also_reads = [v for v in whole.also_reads if v.storage not in whole.local]
    return whole


def _chain_of(group: Instr, x: View) -> list[Instr] | None:
    """Return the calls of a group that make x, if they make nothing else that is used."""
    calls = group.parts or [group]
    if group.prologue or any(rule_of(part) is None for part in calls):
        return None
    wanted, chain = {x.storage}, list[Instr]()
    for part in reversed(calls):
        if part.outs[0].storage in wanted:
            chain.append(part)
            wanted.update(v.storage for v in part.operands())
    made = {part.outs[0].storage for part in chain}
    others = [part for part in calls if part not in chain]
    if not chain or any(v.storage in made for part in others for v in part.reads()):
        return None
    outside = made - group.local if group.parts else made
    return chain[::-1] if outside == {x.storage} else None


def _ends(between: list[Instr], chain: list[Instr], end: Instr, alone: bool) -> bool:
    """Say whether a reduction can take in a chain, which moves down to it past what is between."""
    x, out = end.args[0], end.outs[0]
    made = {part.outs[0].storage for part in chain}
    reads = {v.storage for part in chain for v in part.operands()} - made
    return (
        alone
        and chain[-1].outs[0].place == x.place
        and x.storage.kind == TEMP
        and not x.storage.kept
        and x.whole
        and x.dtype == out.dtype
        and x.dtype.kind == "f"
        and x.size > 0
        and len(end.args) <= 2
        and set(end.kwargs) <= {"axis", "keepdims"}
        and out.storage not in reads
        and not any(v.storage in reads for p in between for v in p.outs)
    )
