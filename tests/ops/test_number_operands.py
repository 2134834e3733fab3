"""Operands that are Python numbers, where they choose another way through an op."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.check import gradcheck, gradgradcheck

RNG = np.random.default_rng(11)


def agree(function: Any, *inputs: mg.Tensor) -> None:
    """Check both derivatives of a function."""
    for check in (gradcheck, gradgradcheck):
        report = check(function, list(inputs))
        assert report.verdict in ("passed", "vacuous"), f"\n{report}"


def uniform(low: float, high: float) -> mg.Tensor:
    return mg.tensor(RNG.uniform(low, high, (2, 3)), requires_grad=True)


# ---- pow ----------------------------------------------------------------------------------------

EXPONENTS = [0, 1, 2, 3, 4, -1, -2, -3, 0.5, -0.5, 1.5, 2.0, -1.0, True]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("exponent", EXPONENTS)
def test_power_by_a_number(exponent: float, dtype: str) -> None:
    x = RNG.uniform(0.3, 2, (2, 3)).astype(dtype)
    y = mg.tensor(x) ** exponent
    assert y.dtype == dtype
    rtol = {"float16": 5e-3, "float32": 1e-6, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(y.numpy(), np.power(x.astype(float), exponent), rtol=rtol)
    if dtype == "float64":
        agree(lambda t: t**exponent, mg.tensor(x, requires_grad=True))
        if float(exponent).is_integer():
            agree(lambda t: t**exponent, mg.tensor(-x, requires_grad=True))


@pytest.mark.parametrize("base", [2, 0.5, 3.0, 1])
def test_power_of_a_number(base: float) -> None:
    x = uniform(-2, 2)
    np.testing.assert_allclose((base**x).detach().numpy(), float(base) ** x.detach().numpy())
    agree(lambda t: base**t, x)


def test_power_does_not_share_memory_with_its_base() -> None:
    x = mg.tensor([1.0, 2.0])
    y = x**1
    y += 1
    assert x.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("base", "exponent", "to_base", "to_exponent"),
    [
        (0.0, 0.0, 0.0, 0.0),
        (0.0, 1.0, 1.0, 0.0),
        (0.0, 2.0, 0.0, 0.0),
        (0.0, -1.0, -np.inf, -np.inf),
        (-2.0, 3.0, 12.0, np.nan),
        (-2.0, 0.0, 0.0, np.nan),
        (2.0, 0.0, 0.0, np.log(2)),
        (np.nan, 0.0, 0.0, np.nan),
    ],
)
def test_power_at_its_edges(
    base: float, exponent: float, to_base: float, to_exponent: float
) -> None:
    def gradient(function: Any, at: float) -> float:
        return mg.grad(function)(mg.tensor(at, dtype=mg.float64)).item()

    for other in (exponent, mg.tensor(exponent, dtype=mg.float64)):
        np.testing.assert_array_equal(gradient(lambda t, b=other: t**b, base), to_base)
    for other in (base, mg.tensor(base, dtype=mg.float64)):
        found = gradient(lambda t, a=other: a**t, exponent)
        np.testing.assert_allclose(found, to_exponent, rtol=1e-15)


def test_second_derivatives_of_power_at_zero() -> None:
    at = mg.tensor([0.0, 2.0], dtype=mg.float64)
    for n, expected in ((2, [2, 2]), (3, [0, 12]), (1, [0, 0]), (0, [0, 0])):
        for exponent in (n, mg.tensor([n, n], dtype=mg.float64)):
            found = mg.grad(lambda x, n=exponent: mg.grad(lambda t: (t**n).sum())(x).sum())(at)
            assert found.tolist() == expected, n
    mixed = mg.grad(lambda b: mg.grad(lambda a: a**b)(mg.tensor(2.0)))
    assert mixed(mg.tensor(0.0)).item() == 0.5  # d/db (b a^(b-1)) = 1 / a at b = 0


# ---- bounds, weights, choices -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "value", "slope"),
    [
        (-1, 1, [-1, -1, 0.5, 1, 1], [0, 1, 1, 1, 0]),
        (None, 1, [-2, -1, 0.5, 1, 1], [1, 1, 1, 1, 0]),
        (-1.0, None, [-1, -1, 0.5, 1, 2], [0, 1, 1, 1, 1]),
        (1, -1, [-1, -1, -1, -1, -1], [0, 0, 0, 0, 0]),
    ],
)
def test_clamp_by_numbers(low: Any, high: Any, value: list[float], slope: list[float]) -> None:
    x = mg.tensor([-2.0, -1.0, 0.5, 1.0, 2.0], requires_grad=True)
    y = x.clamp(low, high)
    y.backward(mg.ones(5))
    assert y.tolist() == value
    assert x.grad.tolist() == slope


def test_clamp_by_tensors_gives_the_gradient_to_the_bound_that_is_taken() -> None:
    x, low, high = uniform(-3, 3), uniform(-1, -0.5), uniform(0.5, 1)
    agree(mg.clamp, x, low, high)
    low, high = (mg.tensor(v, requires_grad=True) for v in (2.0, 1.0))  # crossed: high is taken
    (mg.clamp(mg.tensor([0.0, 5.0]), low, high) * mg.tensor([1.0, 10.0])).sum().backward()
    assert (low.grad.item(), high.grad.item()) == (0.0, 11.0)


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.5, 1.0, 1.7])
def test_lerp_by_a_number(weight: float) -> None:
    x, end = uniform(-2, 2), uniform(-2, 2)
    y = mg.lerp(x, end, weight)
    if weight in (0.0, 1.0):
        assert y.tolist() == (end if weight else x).tolist()
    agree(lambda a, b: mg.lerp(a, b, weight), x, end)


def test_where_of_numbers_alone_has_the_default_dtype() -> None:
    condition = mg.tensor([True, False])
    assert mg.where(condition, 1.5, 2.0).dtype == mg.float32
    assert mg.where(condition, 1, 2).dtype == mg.int64
    assert mg.where(condition, True, False).dtype == mg.bool_


def test_where_keeps_an_infinite_gradient_away() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    mg.where(mg.tensor([True, False]), x, 0.0).backward(mg.tensor([3.0, float("inf")]))
    assert x.grad.tolist() == [3.0, 0.0]


# ---- integers -----------------------------------------------------------------------------------


def test_integers_divided() -> None:
    x = mg.tensor([7, -7])
    assert (x / 2).dtype == mg.float32
    assert (x / 0).tolist() == [np.inf, -np.inf]
    assert (x // 2).tolist() == [3, -4]
    assert mg.div(x, 2, rounding_mode="trunc").tolist() == [3, -3]
    assert (x % 4).tolist() == [3, 1]
    assert mg.fmod(x, 4).tolist() == [3, -3]
    for function in (mg.floor_divide, mg.remainder, mg.fmod):
        with pytest.raises(ZeroDivisionError, match=r"by 0; divide floats"):
            function(x, mg.tensor([1, 0]))
        with pytest.raises(ZeroDivisionError, match=r"by 0; divide floats"):
            function(x, 0)
    for exponent in (-1, mg.tensor([1, -1])):
        with pytest.raises(ValueError, match="negative power is no integer"):
            x**exponent
