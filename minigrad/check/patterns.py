"""What a wrong Jacobian looks like: a factor, a sign, a transpose, a lost sum.

A pattern is named only if it explains every derivative by one leaf, not just the worst.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.check.compare import Matrix, Whole
from minigrad.check.flat import FlatFunction

RTOL = 1e-4  # of the largest derivative: far above the numeric error, far below any pattern


def pattern(found: Whole, k: int) -> str | None:
    """Say in words what backward's derivatives by the leaf of element k look like, if anything."""
    flat = found.flat
    i = next(i for i, span in enumerate(flat.spans()) if span.start <= k < span.stop)
    span, name = flat.spans()[i], flat.subject.names[i]
    numeric = found.slope[:, span]
    if len(found.analytic) == 1:  # a cotangent was given, so that only v^T J is known
        numeric, analytic = found.numeric[:, span], found.analytic[:, span]
    else:
        analytic = found.analytic[1:, span]
    if not (np.isfinite(numeric).all() and np.isfinite(analytic).all() and numeric.any()):
        return None
    if len(found.analytic) > 1 and (text := _not_linear(found, analytic, numeric)):
        return text
    shape = flat.leaves[i].shape
    for look in (_factor, _permuted, _reversed, _summed, _lost):
        if text := look(flat, analytic, numeric, shape):
            return f"by {name}, {text}"
    return _swapped(found, i)


def _same(a: Matrix, b: Matrix) -> bool:
    return bool(np.abs(a - b).max() <= RTOL * max(np.abs(a).max(), np.abs(b).max()))


def _not_linear(found: Whole, analytic: Matrix, numeric: Matrix) -> str | None:
    """See whether the rule loses the cotangent, or spoils it."""
    if _same(analytic, numeric):
        return (
            "each row of the Jacobian is right, but v^T J is not: a rule is not linear in the "
            "gradient g that comes in (it may change g in place, or use abs(g) or g * g)"
        )
    raw = analytic * found.v[:, None]
    if len(raw) > 1 and raw.any() and _same(raw, np.broadcast_to(raw[:1], raw.shape)):
        return "a rule ignores the gradient g that comes in: it must be a factor of its result"
    return None


def _factor(flat: FlatFunction, a: Matrix, n: Matrix, shape: Any) -> str | None:
    if not a.any():
        return (
            "backward gives 0 throughout: no gradient arrives (a detach(), a no_grad, a rule "
            "that gives nothing)"
        )
    c = float((a * n).sum() / (n * n).sum())
    if not _same(a, c * n):
        return None
    if abs(c + 1) < RTOL:
        return "backward has the wrong sign throughout"
    for factor in (c, 1 / c):
        whole = round(factor)
        if whole >= 2 and abs(factor - whole) < RTOL * whole:
            much = f"{whole} times too {'large' if factor is c else 'small'} throughout"
            sizes = _sizes(flat, whole)
            if factor is c:
                reason = f"a missing division by {sizes}" if sizes else "something counted again"
            else:
                reason = f"divided by {sizes} once too often" if sizes else "a factor was lost"
            reason += " (or counted twice)" if sizes and factor is c and whole == 2 else ""
            return f"backward is {much}: it looks like {reason}"
    if np.count_nonzero(n) < 2:  # any single number fits some factor
        return None
    return f"backward is {c:.6g} times the numeric derivative throughout: a constant factor"


def _sizes(flat: FlatFunction, number: int) -> str:
    """Name what has this many elements."""
    tensors = [*zip(flat.subject.names, flat.leaves, strict=True)]
    tensors += [(flat.subject.output_name(i), y) for i, y in enumerate(flat.outputs)]
    for name, t in tensors:
        for axis, length in enumerate(t.shape):
            if length == number:
                return f"n = {number}, the length of axis {axis} of {name}"
        if t.numel() == number:
            return f"n = {number}, the elements of {name}"
    return ""


def _permuted(flat: FlatFunction, a: Matrix, n: Matrix, shape: Any) -> str | None:
    if not 2 <= len(shape) <= 4:
        return None
    cube = n.reshape(-1, *shape)
    for axes in itertools.permutations(range(len(shape))):
        if axes != tuple(range(len(shape))):
            moved = cube.transpose(0, *(1 + d for d in axes)).reshape(n.shape)
            if _same(a, moved):
                how = "transposed" if len(shape) == 2 else f"permuted to axes {axes}"
                return f"backward is the right gradient {how}"
    return None


def _reversed(flat: FlatFunction, a: Matrix, n: Matrix, shape: Any) -> str | None:
    cube = n.reshape(-1, *shape)
    for d in range(len(shape)):
        if _same(a, np.flip(cube, 1 + d).reshape(n.shape)):
            return f"backward is the right gradient reversed along axis {d}"
    return None


def _summed(flat: FlatFunction, a: Matrix, n: Matrix, shape: Any) -> str | None:
    cube = n.reshape(-1, *shape)
    ways: dict[str, Callable[..., Any]] = {"summed": np.sum, "averaged": np.mean}
    for d, (how, reduce) in itertools.product(range(len(shape)), ways.items()):
        flat_along = np.broadcast_to(reduce(cube, axis=1 + d, keepdims=True), cube.shape)
        if _same(a, flat_along.reshape(n.shape)):
            return f"backward is {how} over axis {d}, which it should not be"
    return None


def _lost(flat: FlatFunction, a: Matrix, n: Matrix, shape: Any) -> str | None:
    """See whether each derivative is right or 0."""
    limit = RTOL * np.abs(n).max()
    lost = (np.abs(a) <= limit) & (np.abs(n) > limit)
    if not _same(np.where(lost, n, a), n):
        return None
    count = f"{lost.sum()} of {np.count_nonzero(np.abs(n) > limit)} derivatives are 0"
    for d, length in enumerate(flat.outputs[0].shape if len(flat.outputs) == 1 else ()):
        index = np.indices(flat.outputs[0].shape)[d].reshape(-1, 1)
        for kept in range(length if length > 1 else 0):
            if np.array_equal(lost, (index != kept) & (np.abs(n) > limit)):
                return (
                    f"only index {kept} of axis {d} of the output reaches it, the others give 0: "
                    f"it looks like a missing sum over a broadcast axis ({count})"
                )
    return f"backward is right or 0: {count} that should not be, so some terms are lost"


def _swapped(found: Whole, i: int) -> str | None:
    """See whether the leaf got another's gradient."""
    flat, spans, names = found.flat, found.flat.spans(), found.flat.subject.names
    for j, leaf in enumerate(flat.leaves):
        if j != i and leaf.shape == flat.leaves[i].shape:
            a, n = found.analytic[:, spans[i]], found.numeric[:, spans[j]]
            if n.any() and np.isfinite(n).all() and _same(a, n):
                return f"{names[i]} has the gradient of {names[j]}: swapped operands"
    return None
