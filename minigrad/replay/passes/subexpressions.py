"""Common subexpressions: what was computed already is not computed again."""

from __future__ import annotations

from typing import Any

from minigrad.replay.ir import View
from minigrad.replay.passes.uses import Renamer, own, signature, writers


def subexpressions(program: Any) -> None:
    """Use the first result of the same call on the same, unchanged operands.

    Only for results that no other instruction writes to.
    """
    counts = writers(program)
    known: dict[Any, View] = {}
    renamed = Renamer()
    kept = []
    for instr in program.instrs:
        instr.replace(renamed)
        key = None
        if (
            instr.pure
            and instr.kind in ("ufunc", "method", "function")
            and len(instr.outs) == 1
            and own(instr.outs[0].storage)
            and counts.get(instr.outs[0].storage, 1) == 1
            and instr.outs[0].whole
        ):
            key = signature(instr)
        if key is not None and key in known:
            first, out = known[key], instr.outs[0]
            if (first.shape, first.strides, first.dtype) == (out.shape, out.strides, out.dtype):
                if first.storage is not out.storage:
                    renamed.moved[out.storage] = first.storage
                continue
        changed = {v.storage for v in instr.outs} if not instr.prologue else set()
        if instr.kind == "python":  # it may change whatever lives outside
            changed |= {s for k in known for s in _storages(k) if not own(s)}
        known = {
            k: v for k, v in known.items() if not changed.intersection((*_storages(k), v.storage))
        } if changed else known  # fmt: skip
        if key is not None:
            known[key] = instr.outs[0]
        kept.append(instr)
    program.instrs = kept
    renamed.apply(program)


def _storages(key: Any) -> list[Any]:
    found = []
    for x in key:
        if isinstance(x, tuple):
            found += _storages(x)
        elif hasattr(x, "owner") and hasattr(x, "kind"):
            found.append(x)
    return found
