"""Arguments that a program uses where they are, instead of copying them in before each replay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.replay.ir import Storage, View

SMALLEST = 4096  # bytes; to copy fewer in is quicker than to look whose memory it is


def bound(program: Any, inputs: Sequence[tuple[View, bool]]) -> list[int]:
    """Return which arguments may be used where they are, by their numbers.

    ``inputs`` has the view of each one's copy, and whether the copy lies in memory as it does. The
    program must only read it, in views that a replay can take anew in no time (`derived`); what
    runs in tiles, or sees it from Python, has bound its views already.
    """
    uses: dict[Storage, list[View]] = {v.storage: [] for v, _ in inputs}
    barred = written(program) | {v.storage for v in program.outputs}
    for instr in program.instrs:
        for v in (*instr.reads(), *(v for part in instr.parts for v in part.operands())):
            if v.storage in uses:
                uses[v.storage].append(v)
                if instr.parts or v in instr.also_reads:
                    barred.add(v.storage)
    return [
        k
        for k, (base, alike) in enumerate(inputs)
        if alike
        and base.nbytes >= SMALLEST
        and not base.storage.kept
        and base.storage not in barred
        and all(derived(v, base, "") is not None for v in uses[base.storage])
    ]


def written(program: Any) -> set[Storage]:
    """Return the storages that a program, or Python that it calls, writes to."""
    found: set[Storage] = set()
    for instr in program.instrs:
        found.update(v.storage for v in instr.outs)
        if instr.kind == "python":
            found.update(v.storage for v in instr.also_reads)
    return found


def derived(view: View, base: View, name: str) -> str | None:
    """Return an expression for a view of an argument that has this name, None if there is none."""
    if view.place == base.place:
        return name
    if view.offset != base.offset or view.size != base.size:
        return None
    if view.dtype != base.dtype:
        alike = view.dtype.itemsize == base.dtype.itemsize
        if alike and (view.shape, view.strides) == (base.shape, base.strides):
            return f"{name}.view({view.dtype.str!r})"
        return None
    if (view.shape, view.strides) == (base.shape[::-1], base.strides[::-1]):
        return f"{name}.T"
    if view.in_rows and base.in_rows:
        return f"{name}.reshape({view.shape})"
    return None
