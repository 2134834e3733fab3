"""Copies: a value is computed where it is wanted instead of being copied there."""

from __future__ import annotations

from typing import Any

from minigrad.replay.ir import TEMP, Storage, View
from minigrad.replay.passes.uses import Renamer, own, spans


def copies(program: Any) -> None:
    """Drop a copy whose source is not used after it, and not its goal before it.

    Then whatever wrote the source writes the goal. Eager makes such copies so that a gradient
    shares no memory with anything else; here it is known that nothing is left to share. The goal
    may be a part of a storage: gradients lie side by side as the parameters do.
    """
    used = spans(program)
    places = _places(program)
    renamed = Renamer()
    kept = []
    for i, instr in enumerate(program.instrs):
        if instr.kind == "copy" and not instr.prologue and isinstance(instr.args[0], View):
            source, goal = instr.args[0], instr.outs[0]
            a, b = source.storage, goal.storage
            if (
                a is not b
                and own(a)
                and b.kind == TEMP
                and source.whole
                and (source.shape, source.strides, source.dtype)
                == (goal.shape, goal.strides, goal.dtype)
                and used[a][1] == i
                and (used[b][0] == i if goal.whole else _untouched(places[b], goal, used[a][0], i))
                and a not in renamed.moved.values()
            ):
                renamed.moved[a] = b
                renamed.shifts[a] = goal.offset - source.offset
                continue
        kept.append(instr)
    program.instrs = kept
    renamed.apply(program)


def _places(program: Any) -> dict[Storage, list[tuple[int, int, int]]]:
    """Return, for each storage, which instructions use what stretch of it."""
    found: dict[Storage, list[tuple[int, int, int]]] = {}
    for i, instr in enumerate(program.instrs):
        for v in (*instr.reads(), *instr.outs):
            found.setdefault(v.storage, []).append((i, *v.span))
    return found


def _untouched(places: list[tuple[int, int, int]], goal: View, first: int, last: int) -> bool:
    """Say whether no instruction from the first to before the last uses a stretch of a storage."""
    low, high = goal.span
    return high - low == goal.nbytes and not any(
        first <= i < last and start < high and low < end for i, start, end in places
    )
