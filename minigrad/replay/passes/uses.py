"""What passes ask about a program: who writes a storage, and where it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.replay.ir import TEMP, Instr, Storage, View, map_views


def signature(instr: Instr) -> tuple[Any, ...] | None:
    """Return what makes two calls the same, None if that cannot be said."""

    def key(x: Any) -> Any:
        if isinstance(x, View):
            return x.place
        if type(x) in (tuple, list):
            return (type(x), *(key(y) for y in x))
        if type(x) is dict:
            return tuple((k, key(y)) for k, y in x.items())
        hash(x)
        return (type(x), x)

    try:
        return (instr.kind, instr.run, key(instr.args), key(instr.kwargs))
    except TypeError:  # an argument that cannot be hashed, such as an array of constants
        return None


def writers(program: Any) -> dict[Storage, int]:
    """Return how many instructions write each storage (its copy in the prologue is no other)."""
    counts: dict[Storage, int] = {}
    for instr in program.instrs:
        if not instr.prologue:
            for storage in {v.storage for v in instr.outs}:
                counts[storage] = counts.get(storage, 0) + 1
    return counts


def spans(program: Any) -> dict[Storage, tuple[int, int]]:
    """Return the first and the last instruction that uses each storage."""
    found: dict[Storage, tuple[int, int]] = {}
    for i, instr in enumerate(program.instrs):
        for v in (*instr.reads(), *instr.outs):
            found[v.storage] = (found.get(v.storage, (i, i))[0], i)
    for v in program.roots():
        found[v.storage] = (found.get(v.storage, (0, 0))[0], len(program.instrs))
    return found


def own(storage: Storage) -> bool:
    """Say whether a storage is the program's alone."""
    return storage.kind == TEMP and not storage.kept


def says(instr: Instr, what: str) -> bool:
    """Say what a call's function says of its arguments (`engine.recording.filled_by`)."""
    question = getattr(instr.run, what, None)
    return question is not None and bool(question(*instr.args))


class Renamer:
    """Puts views of other storages in the place of those of some, each made once."""

    def __init__(self) -> None:
        self.moved: dict[Storage, Storage] = {}
        self.shifts: dict[Storage, int] = {}  # how far into the other storage, if not 0
        self._views: dict[View, View] = {}

    def __call__(self, view: View) -> View:
        """Return the view to use instead of one."""
        storage, shift = view.storage, 0
        while storage in self.moved:
            shift += self.shifts.get(storage, 0)
            storage = self.moved[storage]
        if storage is view.storage:
            return view
        if view not in self._views or self._views[view].storage is not storage:
            self._views[view] = view.on(storage, shift)
        return self._views[view]

    def apply(self, program: Any) -> None:
        """Change all instructions, and what the program returns and looks at."""
        if not self.moved:
            return
        change: Callable[[View], View] = self
        for instr in program.instrs:
            instr.replace(change)
            self._retemplate(instr)
        program.rename(change)

    def _retemplate(self, instr: Instr) -> None:
        outs = {v.place: v for v in instr.outs}
        instr.template = map_views(instr.template, lambda v: outs[self(v).place])
        for part in instr.parts:
            self._retemplate(part)
