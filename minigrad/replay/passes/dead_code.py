"""Dead code: leave out what nothing uses."""

from __future__ import annotations

from typing import Any

from minigrad.replay.ir import TEMP


def dead_code(program: Any) -> None:
    """Walk back from what must be right at the end, and keep what that is made of.

    Calls of Python, random draws, and writes to memory from outside are always kept.
    """
    wanted = {v.storage for v in program.roots()}
    kept = []
    for instr in reversed(program.instrs):
        effect = not instr.pure or any(v.storage.kind != TEMP or v.storage.kept for v in instr.outs)
        if effect or any(v.storage in wanted for v in instr.outs):
            kept.append(instr)
            wanted.update(v.storage for v in instr.reads())
    program.instrs = kept[::-1]
