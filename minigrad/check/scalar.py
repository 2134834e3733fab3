"""A whole engine of single numbers: reverse-mode differentiation on a page.

It does what minigrad does, one number at a time and as slowly as you please: a `Value` remembers
what it was computed from, and how fast it changes with each of those; `derivatives` applies the
chain rule from the end to the beginning. It imports nothing of minigrad, so that lessons and tests
can judge the real engine by it. NumPy arrays of Values add, multiply, broadcast and take views.

The idea is micrograd's (A. Karpathy, 2020); slopes are Values here, to be differentiated again.

Examples
--------
>>> from minigrad.check.scalar import Value, derivatives
>>> x, w = Value(2.0), Value(3.0)
>>> y = (x * w).tanh() + x**2
>>> y.backward()
>>> round(x.grad, 6), round(w.grad, 6)
(4.000074, 4.9e-05)
>>> slope = derivatives(x**3)[x]
>>> slope.data, derivatives(slope)[x].data
(12.0, 12.0)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

Edge = tuple["Value", Callable[[], "Value"]]


class Value:
    """A number that knows where it came from; ``grad`` adds up what `backward` brings.

    Parameters
    ----------
    data : float
        The number.
    edges : iterable of (Value, callable)
        The operands that it was computed from, each with a function that returns its slope: how
        much faster than that operand this value grows. Slopes are computed when asked for.
    """

    def __init__(self, data: float, edges: Iterable[Edge] = ()) -> None:
        self.data = float(data)
        self.edges = tuple(edges)
        self.grad = 0.0

    def __add__(self, other: Value | float) -> Value:
        b = as_value(other)
        return Value(self.data + b.data, [(self, lambda: ONE), (b, lambda: ONE)])

    def __mul__(self, other: Value | float) -> Value:
        b = as_value(other)
        return Value(self.data * b.data, [(self, lambda: b), (b, lambda: self)])

    def __pow__(self, other: Value | float) -> Value:
        if isinstance(other, Value):
            return (self.log() * other).exp()
        if other == 0:
            return ONE
        return Value(self.data**other, [(self, lambda: self ** (other - 1) * other)])

    def __neg__(self) -> Value:
        return self * -1.0

    def __sub__(self, other: Value | float) -> Value:
        return self + -as_value(other)

    def __truediv__(self, other: Value | float) -> Value:
        return self * as_value(other) ** -1

    def __rsub__(self, other: float) -> Value:
        return as_value(other) - self

    def __rtruediv__(self, other: float) -> Value:
        return as_value(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def exp(self) -> Value:
        """Return e to the power of this value."""
        return Value(math.exp(self.data), [(self, self.exp)])

    def log(self) -> Value:
        """Return the natural logarithm."""
        return Value(math.log(self.data), [(self, lambda: self**-1)])

    def tanh(self) -> Value:
        """Return the hyperbolic tangent, whose slope is ``1 - tanh^2``."""
        return Value(math.tanh(self.data), [(self, lambda: 1 - self.tanh() ** 2)])

    def relu(self) -> Value:
        """Return this value where it is positive, else 0; the slope at 0 is taken as 0."""
        return Value(max(self.data, 0.0), [(self, lambda: Value(self.data > 0))])

    def maximum(self, other: Value | float) -> Value:
        """Return the larger of two values; where they are equal, each has the slope 1/2."""
        b = as_value(other)
        share = 0.5 * ((self.data > b.data) + (self.data >= b.data))
        return Value(
            max(self.data, b.data), [(self, lambda: Value(share)), (b, lambda: Value(1 - share))]
        )

    def backward(self) -> None:
        """Add the derivative of this value by every value behind it to their ``grad``."""
        for value, slope in derivatives(self).items():
            value.grad += slope.data

    def __repr__(self) -> str:
        return f"Value({self.data:g})"


def as_value(x: Value | float) -> Value:
    """Return a number as a Value; a Value as it is."""
    return x if isinstance(x, Value) else Value(x)


def in_order(end: Value) -> list[Value]:
    """Return every value behind ``end``, each after all that it was computed from."""
    order: list[Value] = []
    seen: set[Value] = set()
    stack = [(end, False)]
    while stack:
        value, operands_done = stack.pop()
        if operands_done:
            order.append(value)
        elif value not in seen:
            seen.add(value)
            stack.append((value, True))
            stack.extend((operand, False) for operand, _ in value.edges)
    return order


def derivatives(end: Value) -> dict[Value, Value]:
    """Return the derivative of ``end`` by every value behind it, as Values.

    The chain rule: a value's derivative is the sum, over all that was computed from it, of their
    derivatives times their slopes. Going backwards, that sum is complete when its value is met.
    """
    found = {end: ONE}
    for value in reversed(in_order(end)):
        for operand, slope in value.edges:
            share = found[value] * slope()
            found[operand] = found[operand] + share if operand in found else share
    return found


ONE = Value(1.0)
