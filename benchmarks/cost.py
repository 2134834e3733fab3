"""The least that a computation costs: arithmetic and compulsory memory traffic, counted."""

from __future__ import annotations

from dataclasses import dataclass

FLOAT = 4  # bytes


@dataclass(frozen=True)
class Cost:
    """Floating-point operations of the products, and bytes that must be read or written."""

    flops: float = 0.0
    bytes: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.flops + other.flops, self.bytes + other.bytes)

    def __mul__(self, times: float) -> Cost:
        return Cost(self.flops * times, self.bytes * times)

    def seconds(self, flops_per_second: float, bytes_per_second: float) -> float:
        """Return the floor on a machine with these rates: first the one, then the other."""
        return self.flops / flops_per_second + self.bytes / bytes_per_second


def product(rows: int, inner: int, columns: int, *, backward: bool, to_input: bool = True) -> Cost:
    """Return a product with a weight: 2 FLOPs a multiply-add, and as much for each gradient.

    Of bytes the input and the output are counted, once forward and once for their gradients; the
    weight's are in `update`.
    """
    one = 2 * rows * inner * columns
    traffic = FLOAT * rows * (inner + columns)
    return Cost(one * (1 + backward * (1 + to_input)), traffic * (1 + backward))


def passes(elements: float, count: float) -> Cost:
    """Return the traffic of elements read or written some times."""
    return Cost(0.0, FLOAT * elements * count)


def update(parameters: int, state: int) -> Cost:
    """Return an optimiser's traffic: parameters and state read and written, the gradient read.

    Forward and backward read the parameters once each and write the gradient.
    """
    return passes(parameters, 2 + 2 * state + 1 + 2 + 1)
