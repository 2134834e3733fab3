"""The engine of single numbers: right by formulas and differences, short, a judge from outside."""

from __future__ import annotations

import ast
import inspect
import math

import numpy as np
import pytest

from minigrad.check import scalar
from minigrad.check.scalar import Value, derivatives, in_order

FUNCTIONS = [
    lambda a, b: a * b + 3 - a,
    lambda a, b: (a - 2 * b) / (1 + a * a),
    lambda a, b: 1 / a - b**3 + a**-2,
    lambda a, b: (a * b).tanh() + (a - b).exp(),
    lambda a, b: (a * a + b * b).log() * b,
    lambda a, b: (a * a) ** b,
    lambda a, b: (a - b).relu() * a + (b - a).relu() * b**2,
    lambda a, b: (a * 3).maximum(b) * (-a).maximum(-1),
    lambda a, b: a * a * a * b * b + 2.5 - 1.5 * a,
]
POINTS = [(0.7, -1.3), (1.9, 0.4), (-0.8, -0.3)]


@pytest.mark.parametrize("k", range(len(FUNCTIONS)))
def test_two_orders_agree_with_differences(k: int) -> None:
    """The first derivatives with differences of the value, the second with those of the first."""
    f, h = FUNCTIONS[k], 1e-6

    def slopes(*point: float) -> list[float]:
        values = [Value(v) for v in point]
        found = derivatives(f(*values))
        return [found[v].data if v in found else 0.0 for v in values]

    def moved(point: tuple[float, float], i: int, by: float) -> list[float]:
        return [v + by * (j == i) for j, v in enumerate(point)]

    for point in POINTS:
        a, b = (Value(v) for v in point)
        f(a, b).backward()
        first = derivatives(f(a, b))
        for i, x in enumerate((a, b)):
            sides = [f(*map(Value, moved(point, i, s * h))).data for s in (1, -1)]
            assert (
                x.grad
                == first[x].data
                == pytest.approx((sides[0] - sides[1]) / (2 * h), 1e-6, 1e-8)
            )
            second = derivatives(first[x])
            for j, other in enumerate((a, b)):
                sides = [slopes(*moved(point, j, s * h))[i] for s in (1, -1)]
                found = second[other].data if other in second else 0.0
                assert found == pytest.approx((sides[0] - sides[1]) / (2 * h), 1e-5, 1e-6)


def test_backward_adds_up_and_a_value_counts_as_often_as_it_is_used() -> None:
    x = Value(3.0)
    y = x + x
    (y * y + y).backward()
    assert x.grad == 26.0
    y.backward()
    assert x.grad == 28.0


def test_kinks() -> None:
    x, y = Value(2.0), Value(2.0)
    found = derivatives(x.maximum(y))
    assert (found[x].data, found[y].data) == (0.5, 0.5)
    assert derivatives((x - y).relu())[x].data == 0.0
    assert (x**0).data == 1.0


@pytest.mark.slow
def test_a_chain_of_100_000_and_sixty_diamonds() -> None:
    x = y = Value(1.0)
    for _ in range(100_000):
        y = y * 1.00001
    y.backward()
    assert x.grad == pytest.approx(1.00001**100_000)
    x = y = Value(1.0)
    for _ in range(60):
        y = y + y
    assert derivatives(y)[x].data == 2.0**60
    assert len(in_order(y)) == 61


def test_arrays_of_values() -> None:
    w = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    x = np.array([Value(0.5), Value(-1.0)])
    total = np.exp(w @ x + 1.0)[::-1] @ np.array([1.0, 10.0])
    total.backward()
    wanted = np.outer(np.exp([-0.5, -1.5]) * [10.0, 1.0], [0.5, -1.0])
    found = [[v.grad for v in row] for row in w]
    np.testing.assert_allclose(found, wanted, rtol=1e-14)


def test_it_fits_on_a_page_and_knows_nothing_of_minigrad() -> None:
    text = inspect.getsource(scalar)
    assert len(text.splitlines()) < 150
    modules = {
        name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in [getattr(node, "module", None) or node.names[0].name]
    }
    assert modules == {"__future__", "collections.abc", "math"}
    assert repr(Value(math.pi)) == "Value(3.14159)"
