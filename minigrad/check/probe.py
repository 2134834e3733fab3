"""A function along one line through a point: its difference quotients at any step, with errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigrad.check.flat import FlatFunction, Vector


class Quotients(NamedTuple):
    """Difference quotients at one step, and how much of them may be rounding."""

    step: float
    left: float
    right: float
    central: float
    noise: float
    single: bool  # all values are float32 numbers

    @property
    def jump(self) -> float:
        """Right minus left: about ``step f''`` where f is smooth, a constant at a kink."""
        return self.right - self.left


class Probe:
    """``fn`` at ``x + t u``, looked at for one weighing of the outputs after the other.

    Parameters
    ----------
    flat : FlatFunction
        The function and its point.
    u : array
        The direction; for a single input element a vector with one 1.
    shift : float
        Start from ``x + shift * u`` instead of x.
    """

    def __init__(self, flat: FlatFunction, u: Vector, shift: float = 0.0) -> None:
        self.flat, self.u, self.start = flat, u, flat.x + shift * u
        self.here = self._value(self.start) if shift else flat.value
        self._seen: dict[float, tuple[Vector, Vector, float, float]] = {}

    def _value(self, x: Vector) -> Vector:
        with np.errstate(all="ignore"):
            try:
                return self.flat.evaluate(x)
            except (ArithmeticError, ValueError):  # fn refuses what lies outside its domain
                return np.full(self.flat.m, np.nan)

    def _around(self, step: float) -> tuple[Vector, Vector, float, float]:
        """Return the values on both sides, and how long the two steps came out."""
        if step not in self._seen:
            right, left = self.start + step * self.u, self.start - step * self.u
            back = forth = step
            if np.isfinite(self.start).all():  # how long the step came out
                length = self.u @ self.u
                forth = float((right - self.start) @ self.u / length)
                back = float((self.start - left) @ self.u / length)
            self._seen[step] = self._value(left), self._value(right), back, forth
        return self._seen[step]

    def finite(self, step: float, weights: Vector) -> bool:
        """Say whether the outputs that are weighed are finite, here and a step to both sides."""
        left, right, *_ = self._around(step)
        return bool(np.isfinite(np.stack([left, self.here, right])[:, weights != 0]).all())

    def at(self, step: float, weights: Vector) -> Quotients:
        """Return the quotients of ``weights . outputs`` at a step."""
        left, right, back, forth = self._around(step)
        used = np.flatnonzero(weights)  # the others may be NaN
        w = weights[used]
        values = np.stack([left[used], self.here[used], right[used]])
        with np.errstate(all="ignore"):
            f = (values - values[1]) @ w
            low, high = (0.0 - f[0]) / np.float64(back), f[2] / np.float64(forth)
            central = (f[2] - f[0]) / np.float64(back + forth)
            single = np.array_equal(values.astype(np.float32), values, equal_nan=True)
            eps = np.finfo(np.float32 if single else np.float64).eps
            noise = 4 * eps * (np.abs(values).max(0) @ np.abs(w)) / (back + forth)
        return Quotients(step, float(low), float(high), float(central), float(noise), single)
