"""Groups of instructions that run as one."""

from __future__ import annotations

from typing import Any

from minigrad.replay.ir import Instr, Storage, View


def joined(group: list[Instr], what: str) -> Instr:
    """Return a group as one instruction."""
    outs = list({v.place: v for part in group for v in part.outs}.values())
    written: set[Any] = set()
    reads: list[View] = []
    for part in group:
        reads += [v for v in part.operands() if v.storage not in written]
        written.update(v.storage for v in part.outs)
    for part in group:
        part.touched.append("fuse")
    name = f"{len(group)} {what}"
    together = Instr("fused", name, len, (), {}, outs, group[0].op, also_reads=reads, parts=group)
    together.touched.append("fuse")
    return together


def localise(program: Any) -> None:
    """Find the results that only one group uses: they need no memory of their own."""
    users = users_of(program)
    for i, instr in enumerate(program.instrs):
        if instr.kind == "fused":
            first_read = {v.storage for v in instr.also_reads}
            instr.local = {
                v.storage
                for v in instr.outs
                if v.storage.kind == "temp" and not v.storage.kept
                and users[v.storage] == {i} and v.storage not in first_read and v.whole
            }  # fmt: skip
            instr.outs = [v for v in instr.outs if v.storage not in instr.local]


def users_of(program: Any) -> dict[Storage, set[int]]:
    """Return which instructions use each storage; -1 stands for the program's results."""
    users: dict[Storage, set[int]] = {}
    for i, instr in enumerate(program.instrs):
        for v in (*instr.reads(), *instr.outs):
            users.setdefault(v.storage, set()).add(i)
    for v in program.roots():
        users.setdefault(v.storage, set()).add(-1)
    return users
