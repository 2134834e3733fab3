"""Fusion: elementwise work on large arrays runs tile by tile, in the processor's cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.replay.ir import Instr, Storage, View
from minigrad.replay.passes.chains import fuse_chains
from minigrad.replay.passes.groups import joined, localise

SMALLEST = 1 << 18  # bytes of a result; smaller ones stay in the cache anyway
SHARED = 1 << 19  # elements above which handing work to a thread (40 us) pays
CACHE = 1 << 20  # bytes that the arrays of one tile may take together
WINDOW = 64  # how many instructions later a group may still take one in


def fuse(program: Any) -> None:
    """Gather elementwise instructions of one shape, and run them together on each tile.

    An instruction moves up to its group if nothing between them stands against it. A result that
    only its group uses never exists as a whole: it has a buffer of a tile's size. The sum of all
    elements joins in: NumPy adds in a tree of halves, and the tiles are cut where it cuts.
    """
    if program.xp.kernels is not None:
        fuse_chains(program)
        return
    instrs: list[Instr | None] = list(program.instrs)
    result: list[Instr] = []
    for i, first in enumerate(instrs):
        if first is None:
            continue
        if first.prologue or not fits(first):
            result.append(first)
            continue
        group = [first]
        shape = first.outs[0].shape
        passed: list[Instr] = []
        for j in range(i + 1, min(i + 1 + WINDOW, len(instrs))):
            other = instrs[j]
            if other is None:
                continue
            if other.kind in ("python", "opaque") and not other.pure:
                break
            joins = fits(other) and other.outs[0].shape == shape
            if (joins or sums_all(other, shape)) and _moves(other, passed, group):
                group.append(other)
                instrs[j] = None
            else:
                passed.append(other)
        shared = program.threads > 1 and first.outs[0].size >= SHARED
        result.append(joined(group, "on each tile") if len(group) > 1 or shared else first)
    program.instrs = result
    localise(program)


def fits(instr: Instr) -> bool:
    """Say whether an instruction can run on stretches of its operands."""
    if instr.cut or not instr.elementwise or not instr.pure or instr.outs[0].nbytes < SMALLEST:
        return False
    if any(isinstance(a, np.ndarray) for a in instr.args):  # a constant that is copied in
        return False
    out = instr.outs[0]
    return out.size > 1 and out.in_rows and all((v.in_rows and v.shape == out.shape) or _single(v)
                               for v in instr.operands())  # fmt: skip


def _single(v: View) -> bool:
    """Say whether a view shows one element, however often."""
    return all(s == 0 or n == 1 for n, s in zip(v.shape, v.strides, strict=True))


def sums_all(instr: Instr, shape: tuple[int, ...] | None = None) -> bool:
    """Say whether an instruction is the sum of all elements of an array (of this shape)."""
    if instr.kind != "method" or getattr(instr.run, "__self__", None) is not np.add:
        return False
    x, out = instr.args[0], instr.outs[0]
    return (
        instr.name == "add.reduce"
        and len(instr.args) == 1
        and set(instr.kwargs) <= {"axis", "keepdims", "dtype"}
        and (shape is None or x.shape == shape)
        and x.in_rows
        and out.size == 1
        and out.dtype == x.dtype
        and out.dtype.kind == "f"
        and out.dtype.itemsize > 2
    )


def _moves(instr: Instr, passed: list[Instr], group: list[Instr]) -> bool:
    """Say whether an instruction can run before those that it would pass, with its group."""
    reads = {v.storage for v in instr.reads()}
    writes = {v.storage for v in instr.outs}
    if not _aligned([*group, instr]):
        return False
    if any(sums_all(other) and other.outs[0].storage in reads | writes for other in group):
        return False  # a sum is there when all tiles are done
    if sums_all(instr) and any(v.storage in writes for g in group for v in g.reads()):
        return False
    for other in passed:
        theirs = {v.storage for v in other.outs}
        if theirs & (reads | writes) or writes & {v.storage for v in other.reads()}:
            return False
    return True


def _aligned(group: list[Instr]) -> bool:
    """Say whether a tile never touches what another tile writes: no shifted or single views."""
    written = {v.storage for part in group for v in part.outs}
    seen: dict[Storage, tuple[int, int, bool]] = {}
    for part in group:
        for v in (*part.operands(), *part.outs):
            if v.storage in written:
                where = (v.offset, v.dtype.itemsize, _single(v))
                if seen.setdefault(v.storage, where) != where:
                    return False
    return True
