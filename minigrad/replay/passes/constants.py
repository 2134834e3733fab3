"""Constant folding: what depends on no argument is computed once, while recording."""

from __future__ import annotations

from typing import Any

from minigrad.replay.ir import LIVE, Storage
from minigrad.replay.passes.uses import own


def constants(program: Any) -> None:
    """Drop instructions whose results are always the same; the recording has them.

    These are arrays made out of nothing that no other instruction writes to, and what is computed
    from such arrays alone.
    """
    fixed: set[Storage] = set()
    kept = []
    for instr in program.instrs:
        if instr.outs and all(own(v.storage) and v.storage.constant for v in instr.outs):
            fixed.update(v.storage for v in instr.outs)
        else:
            kept.append(instr)
    for storage in fixed:
        storage.kind = LIVE
    program.instrs = kept
