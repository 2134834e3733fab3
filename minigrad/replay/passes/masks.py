"""Masks: the slope of a ReLU is applied to the windows of the max pooling behind it.

Pooling's gradient ``P(g)`` gives each window's number to its largest element. ReLU's then keeps it
where that element x is positive: ``P(g) * (x > 0)``. But the largest element is the maximum y, so
that is ``P(g * (y > 0))``, with the mask on the windows: for windows of 2x2, on a quarter as many
numbers. What the mask puts out is zero either way, and of the same sign: no bit differs. Windows
that overlap are left alone: a sum of their numbers may be less than zero, or too large.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from minigrad.replay.ir import TEMP, Instr, Storage, View
from minigrad.replay.passes.groups import users_of
from minigrad.replay.passes.uses import own, says


def masks(program: Any) -> None:
    """Look for ``pooling'(g, x, y) * (x > 0)``, and write ``pooling'(g * (y > 0), x, y)``."""
    users = users_of(program)
    number = max((s.number for s in users), default=0)
    instrs: list[list[Instr]] = [[instr] for instr in program.instrs]
    for i, pooling in enumerate(program.instrs):
        found = _masked(program.instrs, users, i)
        if found is None:
            continue
        compare, product = (program.instrs[k] for k in found)
        g, x, y, *where = pooling.args
        mask, masked = _like(y, np.dtype(bool), number + 1), _like(y, y.dtype, number + 2)
        number += 2
        kept = replace(compare, args=(y, compare.args[1]), outs=[mask])
        cut = replace(product, args=(g, mask), outs=[masked])
        spread = replace(pooling, args=(masked, x, y, *where), outs=product.outs)
        spread.template = product.outs[0]
        for instr in (kept, cut, spread):
            instr.touched = [*instr.touched, "masks"]
        instrs[i] = [kept, cut, spread]
        for k in found:
            instrs[k] = []
    program.instrs = [instr for some in instrs for instr in some]


def _masked(instrs: list[Instr], users: dict[Storage, set[int]], i: int) -> tuple[int, int] | None:
    """Return which instructions compare x with 0 and multiply what instruction i makes by that."""
    pooling = instrs[i]
    if not says(pooling, "picks") or len(pooling.outs) != 1:
        return None
    _, x, y, *_ = pooling.args
    spread = pooling.outs[0]
    if not (own(spread.storage) and spread.whole and y.span[1] - y.span[0] == y.nbytes):
        return None
    others = users[spread.storage] - {i}
    if len(others) != 1 or (product := others.pop()) < i:
        return None
    multiply = instrs[product]
    if multiply.run is not np.multiply or multiply.kwargs or multiply.args[0] is not spread:
        return None
    mask, out = multiply.args[1], multiply.outs[0]
    if not isinstance(mask, View) or users[mask.storage] - {product} == set():
        return None
    (compare, *more) = users[mask.storage] - {product}
    greater = instrs[compare]
    fits = (
        not more
        and compare >= 0
        and own(mask.storage)
        and greater.run is np.greater
        and greater.outs[0] is mask
        and greater.args[0] is x
        and type(greater.args[1]) in (int, float)
        and greater.args[1] == 0
        and own(x.storage)
        and not any(
            v.storage is x.storage
            for instr in instrs[min(i, compare) : max(i, compare)]
            for v in instr.outs
        )
        and own(out.storage)
        and out.whole
        and min(users[out.storage] - {-1}) >= product  # nothing has written there before
    )
    return (compare, product) if fits else None


def _like(y: View, dtype: np.dtype[Any], number: int) -> View:
    """Return memory for as many numbers, in the same order."""
    strides = tuple(s // y.dtype.itemsize * dtype.itemsize for s in y.strides)
    storage = Storage(number, TEMP, y.size * dtype.itemsize, 0, None)
    return View(storage, 0, y.shape, strides, dtype)
