"""Lanes: stretches of work that do not depend on each other, side by side on several threads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import NUMPY
from minigrad.backend.threads import product_threads
from minigrad.ops.windows import images_at_once
from minigrad.replay.ir import TEMP, Instr, Storage, View
from minigrad.replay.passes.groups import users_of
from minigrad.replay.passes.plan import pack
from minigrad.replay.passes.uses import Renamer, own, says

WINDOW = 400  # how many instructions after its first a region may still take one in
GAINS = 0.82  # of the time without lanes, at most; parts of products cost more than the whole
PAYS = 100e-6  # seconds that must be spared: twice what it takes to hand work over and wait for it
PRODUCTS = 1 << 22  # numbers multiplied in a part of a product, at least
ROWS = 32  # of a part of a product, at least: each part costs BLAS a copy of the other operand
_SMALL = 20e-6  # seconds of what several chains may wait for
# What one thread does in a second: operations of a product, bytes of copies, and of other work in
# pieces; a call's seconds. Elementwise work on arrays of so many bytes stays in the cache
_FLOPS, _BYTES, _PIECES, _CALL = 80e9, 20e9, 6e9, 1e-6
_CACHED, _CACHE = 80e9, 1 << 19


class Region(NamedTuple):
    """Instructions that can run before the rest of those looked at."""

    before: list[Instr]  # on one thread, first
    chains: list[list[Instr]]  # those that take longest first
    after: list[Instr]
    looked_at: int
    spared: float  # seconds


def lanes(program: Any) -> None:
    """Find instructions that can be dealt out to the program's threads, and group them.

    A large elementwise instruction is cut into rows first, so that each thread has its own.
    Going on from an instruction, each one that depends on no other so far, or on those of one chain
    alone, joins; one that depends on several chains waits for the end, and so does what depends on
    it. So the tiles of a convolution, or branches of a network, become chains. A thread that is
    free takes the next, the longest first; no result depends on which one that is. With one thread
    nothing is done, nor where BLAS cannot be kept to one thread meanwhile, or would share the
    products between its own threads to more effect, by an estimate of the cost.
    """
    owned = product_threads()
    if program.threads == 1 or program.xp is not NUMPY or owned is None:
        return
    instrs = [
        piece
        for instr in program.instrs
        for part in (instr.parts if _only_fills(instr) else [instr])
        for piece in _pieces(part, 2 * program.threads)
    ]
    found: list[Instr | Region] = []
    at = 0
    known: dict[int, Region] = {}  # those looked at, by where they begin
    while at < len(instrs):
        here, behind = (
            known.get(k) or _region(instrs[k : k + WINDOW], program.threads) for k in (at, at + 1)
        )
        spared = here.spared if len(here.chains) > 1 else 0.0
        # what many chains wait for would make them one: better alone, before them
        if spared <= PAYS or spared < behind.spared:
            found.append(instrs[at])
            at += 1
            known = {at: behind}
            continue
        found += [*here.before, here]
        at += here.looked_at - len(here.after)
        instrs[at : at + len(here.after)] = here.after
        known = {}
    ours = sum(
        max(_dealt(x.chains, program.threads, _cached)) + PAYS / 2
        if isinstance(x, Region)
        else _cached(x)
        for x in found
    )
    theirs = sum(_cached(instr, min(program.threads, owned)) for instr in program.instrs)
    if ours > GAINS * theirs:  # mostly products, which BLAS shares to more effect
        return
    program.instrs = [_together(x.chains) if isinstance(x, Region) else x for x in found]
    _give_memory(program)


def _region(instrs: list[Instr], threads: int) -> Region:
    """Return a region that begins with the first instruction.

    It ends where more waits than was taken in: what is computed long before it is wanted takes
    memory meanwhile.
    """
    if not instrs or _seconds(instrs[0]) < _SMALL:
        return Region([], [], [], 0, 0.0)
    taken = waits = 0.0
    chain_of: dict[int, int | None] = {}  # by instruction; None runs before, on one thread
    count = 0
    users, held = _Accesses(), _Accesses()
    end = len(instrs)
    for k, instr in enumerate(instrs):
        if instr.kind == "python" or instr.prologue or (instr.kind == "opaque" and not instr.pure):
            end = k
            break
        found = users.against(instr)
        if held.against(instr) or len(found) > 1 or not _may(instr):
            held.add(instr, 0)
            waits += _seconds(instr)
            if waits > taken:
                end = k + 1
                break
            continue
        if not found and (_fills(instr) or _seconds(instr) < _SMALL):
            chain_of[k] = None  # else all that uses it would be one chain
            continue
        (number,) = found or (count,)
        count += not found
        chain_of[k] = number
        users.add(instr, number)
        taken += _seconds(instr)
    _drop_early(instrs, chain_of)
    _give_fills(instrs, chain_of)
    chains: dict[int, list[Instr]] = {}
    for k, c in sorted(chain_of.items()):
        if c is not None:
            chains.setdefault(c, []).append(instrs[k])
    ordered = sorted(map(_depth_first, chains.values()), key=_cost, reverse=True)
    costs = _dealt(ordered, threads, _seconds)
    before = [instrs[k] for k, c in sorted(chain_of.items()) if c is None]
    after = [instrs[k] for k in range(end) if k not in chain_of]
    return Region(before, ordered, after, end, sum(costs) - max(costs))


def _drop_early(instrs: list[Instr], chain_of: dict[int, int | None]) -> None:
    """Leave out copies that were taken in past others that wait, if nothing taken in wants them.

    They would lie in memory, out of the cache, until they are wanted. What comes out smaller than
    what it is made of is another thing: that may still be in the cache.
    """
    first = next((k for k in range(len(instrs)) if k not in chain_of), len(instrs))
    later = _Accesses()
    for k in reversed(list(chain_of)):
        instr = instrs[k]
        grows = sum(v.nbytes for v in instr.outs) >= sum(v.nbytes for v in instr.operands())
        if (k > first or _fills(instr)) and grows and not later.against(instr):
            del chain_of[k]
        else:
            later.add(instr, 0)


def _give_fills(instrs: list[Instr], chain_of: dict[int, int | None]) -> None:
    """Let a chain fill by itself what it alone wants filled."""
    all_of_them = _Accesses()
    for k, c in chain_of.items():
        all_of_them.add(instrs[k], -k - 1 if c is None else c)
    for k in [k for k, c in chain_of.items() if c is None and _fills(instrs[k])]:
        found = all_of_them.against(instrs[k]) - {-k - 1}
        if len(found) == 1 and min(found) >= 0:
            chain_of[k] = found.pop()


def _depth_first(chain: list[Instr]) -> list[Instr]:
    """Return a chain in an order in which results are used soon, perhaps still in the cache.

    Of those that can run, the one goes first that waited for the latest.
    """
    before: list[set[int]] = []
    seen = _Accesses()
    for k, instr in enumerate(chain):
        before.append(seen.against(instr))
        seen.add(instr, k)
    place: dict[int, int] = {}
    rest = list(range(len(chain)))
    while rest:
        ready = [k for k in rest if all(b in place for b in before[k])]
        k = max(ready, key=lambda k: (max((place[b] for b in before[k]), default=-1), -k))
        place[k] = len(place)
        rest.remove(k)
    return [chain[k] for k in place]


def _pieces(instr: Instr, count: int) -> list[Instr]:
    """Return an instruction as so many on some of the rows each; itself if it cannot be cut.

    Each row is computed as before, so the bits are the same; but BLAS may round parts of a large
    product otherwise than the whole, as it does on another number of its own threads.
    """
    out = instr.outs[0] if len(instr.outs) == 1 else None
    if out is None or not out.shape or _seconds(instr) < 2 * PAYS:
        return [instr]
    views = [v for v in instr.args if isinstance(v, View)]
    rows = [v for v in views if v.shape[:1] == out.shape[:1]]
    whole = [v for v in views if v not in rows]
    if instr.run is np.matmul:
        count = min(count, _products(instr) // PRODUCTS, out.shape[0] // ROWS)
        rows, whole = views[:1], views[1:]
        cut = len(out.shape) == len(views) == 2 and rows != whole
    elif instr.kind == "ufunc":
        elementwise = isinstance(instr.run, np.ufunc) and instr.run.signature is None
        cut = elementwise and not instr.kwargs
        cut = cut and all(len(v.shape) == len(out.shape) for v in rows)
        cut = cut and all(len(v.shape) < len(out.shape) or v.shape[0] == 1 for v in whole)
    elif instr.kind == "copy":
        cut = len(rows) == 1 and len(rows[0].shape) == len(out.shape)
    else:
        cut = _rows_alone(instr)
    cut = cut and all(v.place == out.place or _apart(v, out) for v in rows)
    cut = cut and all(_apart(v, out) for v in whole)
    if not cut or not 1 < count <= out.shape[0]:
        return [instr]
    unit = images_at_once(out.shape[0] / count / 2)  # pieces end where tiles do
    cuts = [round(k * out.shape[0] / count / unit) * unit for k in range(count)]
    return [
        replace(
            instr,
            args=tuple(v.rows(*c) if v in rows else v for v in instr.args),
            outs=[out.rows(*c)],
            touched=list(instr.touched),
            template=None,
        )
        for c in itertools.pairwise([*cuts, out.shape[0]])
        if c[0] < c[1]
    ]


def _apart(a: View, b: View) -> bool:
    """Say whether two views surely share no memory."""
    return a.storage is not b.storage or a.span[1] <= b.span[0] or b.span[1] <= a.span[0]


def _products(instr: Instr) -> int:
    """Return how many numbers a product multiplies."""
    return instr.outs[0].size * instr.args[0].shape[-1] if isinstance(instr.args[0], View) else 0


def _rows_alone(instr: Instr) -> bool:
    """Say whether an opaque call fills its result row by row."""
    return instr.kind == "opaque" and says(instr, "by_rows")


def _may(instr: Instr) -> bool:
    """Say whether an instruction may run on any thread."""
    kinds = ("ufunc", "method", "function", "copy")
    return instr.pure and not instr.parts and (instr.kind in kinds or _rows_alone(instr))


def _fills(instr: Instr) -> bool:
    return instr.kind == "copy" and not isinstance(instr.args[0], View)


def _only_fills(instr: Instr) -> bool:
    """Say whether a fused group does no more than set numbers: each lane may do its own."""
    return instr.kind == "fused" and all(map(_fills, instr.parts)) and not instr.local


def _seconds(instr: Instr, threads: int = 1) -> float:
    """Return a rough cost, products done by so many threads: the same whatever the load is.

    It is one from memory; for who asks whether threads are worth it, that is the better mistake.
    """
    if instr.run is np.matmul:
        return _CALL + 2 * _products(instr) / _FLOPS / threads
    nbytes = sum(v.nbytes for v in (*instr.operands(), *instr.outs))
    return _CALL + nbytes / (_BYTES if instr.kind == "copy" else _PIECES)


def _cached(instr: Instr, threads: int = 1) -> float:
    """Return the cost with the speed of the cache, for elementwise work that stays there."""
    views = [*instr.operands(), *instr.outs]
    dense = all(v.span[1] - v.span[0] == v.nbytes for v in views)
    small = max((v.nbytes for v in views), default=0) <= _CACHE
    if instr.kind == "ufunc" and instr.run is not np.matmul and dense and small:
        return _CALL + sum(v.nbytes for v in views) / _CACHED
    return _seconds(instr, threads)


def _dealt(
    chains: list[list[Instr]], threads: int, seconds: Callable[[Instr], float]
) -> list[float]:
    """Return how long each thread works if who is free takes the next chain."""
    costs = [0.0] * threads
    for chain in chains:
        costs[costs.index(min(costs))] += sum(map(seconds, chain))
    return costs


def _cost(chain: list[Instr]) -> float:
    return sum(map(_seconds, chain))


class _Accesses:
    """Which stretches of memory were read and written, and by whom."""

    def __init__(self) -> None:
        self._found: dict[Storage, dict[int, list[tuple[int, int, bool]]]] = {}

    def add(self, instr: Instr, who: int) -> None:
        for view, writes in _touched(instr):
            self._found.setdefault(view.storage, {}).setdefault(who, []).append(
                (*view.span, writes)
            )

    def against(self, instr: Instr) -> set[int]:
        """Return whose order against an instruction matters."""
        found = set()
        for view, writes in _touched(instr):
            low, high = view.span
            for who, stretches in self._found.get(view.storage, {}).items():
                if who not in found and any(
                    start < high and low < end and (writes or wrote)
                    for start, end, wrote in stretches
                ):
                    found.add(who)
        return found


def _touched(instr: Instr) -> Iterable[tuple[View, bool]]:
    return itertools.chain(((v, False) for v in instr.reads()), ((v, True) for v in instr.outs))


def _together(chains: list[list[Instr]]) -> Instr:
    """Return chains as one instruction."""
    parts = []
    for k, chain in enumerate(chains):
        for instr in chain:
            instr.lane = k
            instr.touched.append("lanes")
            parts.append(instr)
    name = f"{len(parts)} in {len(chains)} lanes"
    return Instr("lanes", name, len, (), {}, [], parts[0].op, parts=parts, touched=["lanes"])


def _give_memory(program: Any) -> None:
    """Put what one lane alone uses into memory of its thread; say what else lanes use.

    A thread has one lane at a time, so each has memory for the largest. Results of two lanes may
    be alive at the same time whenever the lanes are: for the planner, what they share is alive all
    the while.
    """
    for group in program.instrs:
        group.also_reads += [v for part in group.parts for v in part.reads()] * _is_lanes(group)
        group.outs += [v for part in group.parts for v in part.outs] * _is_lanes(group)
    everywhere = users_of(program)
    numbers = itertools.count(1 + max((s.number for s in everywhere), default=0))
    renamed = Renamer()
    for i, group in enumerate(program.instrs):
        if not _is_lanes(group):
            continue
        by_lane = _lanes_of(group.parts)
        found: dict[Storage, int] = {}  # where what is one lane's alone lies
        largest = 0
        for k in set(by_lane.values()) - {None}:
            spans: dict[Storage, tuple[int, int]] = {}
            for n, part in enumerate(p for p in group.parts if p.lane == k):
                for v, _ in _touched(part):
                    s = v.storage
                    if by_lane[s] == k and own(s) and everywhere[s] == {i}:
                        spans[s] = (spans.get(s, (n, n))[0], n)
            places, total = pack({s: s.nbytes for s in spans}, spans)
            found.update(places)
            largest = max(largest, total)
        if largest:
            nbytes = largest * program.threads
            memory = Storage(next(numbers), TEMP, nbytes, 0, None)
            group.scratch = View(memory, 0, (nbytes,), (1,), np.dtype(np.uint8))
            renamed.moved.update(dict.fromkeys(found, memory))
            renamed.shifts.update(found)
        group.also_reads = [v for v in group.also_reads if v.storage not in found]
        group.outs = [v for v in group.outs if v.storage not in found]
        group.outs += [group.scratch] * (group.scratch is not None)
    renamed.apply(program)


def _is_lanes(instr: Instr) -> bool:
    return instr.kind == "lanes"


def _lanes_of(parts: list[Instr]) -> dict[Storage, int | None]:
    """Return the lane that each storage is used in, None if it is several."""
    found: dict[Storage, int | None] = {}
    for part in parts:
        for v, _ in _touched(part):
            found[v.storage] = part.lane if found.get(v.storage, part.lane) == part.lane else None
    return found
