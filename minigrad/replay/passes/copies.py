"""Copies: a value is computed where it is wanted instead of being copied there."""

from __future__ import annotations

from typing import Any

from minigrad.replay.ir import TEMP, View
from minigrad.replay.passes.uses import Renamer, own, spans


def copies(program: Any) -> None:
    """Drop a copy whose source is not used after it, and not its goal before it.

    Then whatever wrote the source writes the goal. Eager makes such copies so that a gradient
    shares no memory with anything else; here it is known that nothing is left to share.
    """
    used = spans(program)
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
                and goal.whole
                and (source.shape, source.strides, source.dtype)
                == (goal.shape, goal.strides, goal.dtype)
                and used[a][1] == i
                and used[b][0] == i
                and a not in renamed.moved.values()
            ):
                renamed.moved[a] = b
                continue
        kept.append(instr)
    program.instrs = kept
    renamed.apply(program)
