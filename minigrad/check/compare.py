"""Derivatives from backward beside those from values: the whole Jacobian, or random directions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from minigrad.check.flat import FlatFunction, Vector, one_hot

FULL = 4096  # entries of a Jacobian up to which all of it is compared
DIRECTIONS = 8  # random directions beyond that

Matrix = np.ndarray[Any, Any]


class Tolerance(NamedTuple):
    """Two values agree when they differ by at most ``atol + rtol * |numeric|``."""

    atol: float
    rtol: float

    def excess(self, analytic: Any, numeric: Any) -> Any:
        """Return the differences in tolerances; NaN and infinity never agree."""
        with np.errstate(invalid="ignore"):
            excess = np.abs(analytic - numeric) / (self.atol + self.rtol * np.abs(numeric))
        return np.where(np.isfinite(excess), excess, np.inf)


@dataclass
class Whole:
    """The whole Jacobian J.

    Row 0 of both matrices is ``v^T J``; the rows of J follow, unless v was given. ``jump`` is the
    right minus the left difference quotient of each output (rows) by each input (columns); the
    complex step has none.
    """

    flat: FlatFunction
    v: Vector
    analytic: Matrix
    numeric: Matrix
    jump: Matrix | None
    slope: Matrix  # J from values

    def weights(self, row: int) -> Vector:
        """Return what a row weighs the outputs by."""
        return one_hot(self.flat.m, row - 1) if row else self.v

    def what(self, row: int, k: int) -> str:
        """Name an entry."""
        return self.flat.name(k, row - 1 if row else None)


@dataclass
class Directions:
    """``v^T J u`` for random directions u, each within one leaf."""

    flat: FlatFunction
    v: Vector
    pulled: Vector  # v^T J, by backward
    leaf: list[int] = field(default_factory=list)
    u: list[Vector] = field(default_factory=list)
    analytic: list[float] = field(default_factory=list)
    numeric: list[float] = field(default_factory=list)

    def what(self, i: int) -> str:
        """Name a direction."""
        return f"v^T J u in random direction {i}, of {self.flat.subject.names[self.leaf[i]]}"


def whole(flat: FlatFunction, v: Vector, every_row: bool) -> Whole:
    """Return ``v^T J`` and all of J by backward, and the same from values."""
    slope, jump = np.empty((flat.m, flat.n)), None
    if flat.method == "complex":
        for k in range(flat.n):
            slope[:, k] = flat.push(one_hot(flat.n, k))
    else:
        jump = np.empty((flat.m, flat.n))
        for k in range(flat.n):
            right, left = flat.x.copy(), flat.x.copy()
            right[k] += flat.eps
            left[k] -= flat.eps
            # The step as it came out is not quite 2 eps, and far from it where x is large
            width = float(right[k]) - float(left[k]) if math.isfinite(flat.x[k]) else 2 * flat.eps
            right, left = flat.evaluate(right), flat.evaluate(left)
            slope[:, k] = (right - left) / width if width else math.nan
            jump[:, k] = (right - flat.value) - (flat.value - left)
        jump /= flat.eps
    analytic, numeric = [flat.pull(v)], [v @ slope]
    for j in range(flat.m if every_row else 0):  # times v_j: a rule that ignores g must not pass
        analytic.append(flat.pull(v * one_hot(flat.m, j)) / v[j])
        numeric.append(slope[j])
    return Whole(flat, v, np.stack(analytic), np.stack(numeric), jump, slope)


def directions(flat: FlatFunction, v: Vector, rng: np.random.Generator) -> Directions:
    """Return ``v^T J u`` both ways, at least twice for each leaf."""
    found = Directions(flat, v, flat.pull(v))
    for i, span in enumerate(flat.spans()):
        size = span.stop - span.start
        for _ in range(max(2, DIRECTIONS // len(flat.leaves)) if size else 0):
            u = np.zeros(flat.n)
            u[span] = rng.standard_normal(size)
            found.leaf.append(i)
            found.u.append(u)
            found.analytic.append(float(found.pulled @ u))
            found.numeric.append(float(v @ flat.push(u)))
    return found


def culprit(found: Directions, u: Vector) -> int:
    """Halve a direction that disagrees, and keep the worse half, until one element is left."""
    flat, (low, high) = found.flat, np.flatnonzero(u)[[0, -1]].tolist()
    high, places = high + 1, np.arange(flat.n)
    while high - low > 1:
        middle = (low + high) // 2
        errors = []
        for start, end in ((low, middle), (middle, high)):
            part = np.where((places >= start) & (places < end), u, 0.0)
            error = abs(found.v @ flat.push(part) - found.pulled @ part)
            errors.append(error if math.isfinite(error) else math.inf)
        low, high = (low, middle) if errors[0] >= errors[1] else (middle, high)
    return low
