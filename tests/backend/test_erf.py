"""The error function: how far from the truth it is, and its ends."""

import math
import time

import numpy as np
import pytest
import scipy.special

from minigrad.backend import NUMPY

FUNCTIONS = {"erf": (NUMPY.erf, math.erf), "erfc": (NUMPY.erfc, math.erfc)}
# The last argument whose erfc is a normal number
LAST = {"float32": 9.19, "float64": 26.54}


def arguments(dtype):
    """Return arguments of every size: small, usual, and far out in both tails."""
    rng = np.random.default_rng(5)
    sizes = 10.0 ** rng.uniform(-30, math.log10(LAST[dtype]), 20000)
    every = [
        np.linspace(-LAST[dtype], LAST[dtype], 40001),
        np.linspace(-1.01, 1.01, 4001),  # across the seam between the two polynomials
        rng.normal(size=20000),
        sizes,
        -sizes,
    ]
    x = np.concatenate(every).astype(dtype)
    return x[x != 0]


def relative_error(got, want):
    return float(np.max(np.abs(got.astype(np.float64) / want - 1)))


@pytest.mark.parametrize(
    ("name", "dtype", "limit"),
    [
        ("erf", "float64", 1.5e-15),
        ("erfc", "float64", 3e-15),
        ("erf", "float32", 2e-7),
        ("erfc", "float32", 6e-7),
    ],
)
def test_relative_error(name, dtype, limit):
    ours, exact = FUNCTIONS[name]
    x = arguments(dtype)
    y = ours(x)
    assert y.dtype == x.dtype
    error = relative_error(y, np.array([exact(v) for v in x.tolist()]))
    print(f"{name} in {dtype}: largest relative error {error:.2e} on {x.size} arguments")
    assert error < limit


@pytest.mark.parametrize("name", ["erf", "erfc"])
def test_agrees_with_scipy(name):
    x = arguments("float64")
    error = relative_error(FUNCTIONS[name][0](x), getattr(scipy.special, name)(x))
    print(f"{name}: largest relative difference to SciPy {error:.2e}")
    assert error < 1e-13  # SciPy's own erfc is off by 6e-14 near 26


@pytest.mark.parametrize("name", ["erf", "erfc"])
def test_every_float16_is_rounded_right_or_to_the_neighbour(name):
    ours, exact = FUNCTIONS[name]
    x = np.arange(65536, dtype=np.uint16).view(np.float16)
    x = x[np.isfinite(x)]
    want = np.array([exact(v) for v in x.tolist()]).astype(np.float16)
    y = ours(x)
    assert y.dtype == np.float16
    steps = np.abs(y.view(np.int16).astype(int) - want.view(np.int16).astype(int))
    assert steps.max() <= 1
    assert (steps > 0).sum() < 20


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_ends(dtype):
    x = np.array([np.inf, -np.inf, 1e4, -1e4, 0.0, -0.0, np.nan], dtype=dtype)
    assert NUMPY.erf(x).tolist()[:6] == [1, -1, 1, -1, 0, 0]
    assert np.signbit(NUMPY.erf(x))[4:6].tolist() == [False, True]
    assert NUMPY.erfc(x).tolist()[:6] == [0, 2, 0, 2, 1, 1]
    assert np.isnan(NUMPY.erf(x)[6])
    assert np.isnan(NUMPY.erfc(x)[6])


def test_never_leaves_its_range():
    x = arguments("float32")
    assert np.abs(NUMPY.erf(x)).max() == 1
    assert NUMPY.erfc(x).max() == 2
    assert NUMPY.erfc(x).min() > 0


@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (5, 7), (3, 16384)])
def test_shapes_and_strides(shape):
    x = np.random.default_rng(3).normal(size=shape)
    want = np.vectorize(math.erf, otypes=[float])(x)
    np.testing.assert_allclose(NUMPY.erf(x), want, rtol=1e-14)
    assert NUMPY.erf(x).shape == shape
    np.testing.assert_allclose(NUMPY.erf(x.T), want.T, rtol=1e-14)
    assert NUMPY.erf(np.float64(0.5)).shape == ()


def test_argument_is_left_alone():
    x = np.array([0.5, -2.0, 3.0])
    NUMPY.erf(x)
    NUMPY.erfc(x)
    assert x.tolist() == [0.5, -2.0, 3.0]


def test_a_million_in_float32_take_milliseconds():
    x = np.random.default_rng(1).normal(size=1_000_000).astype(np.float32)
    one_by_one = np.frompyfunc(math.erf, 1, 1)

    def seconds(function):
        start = time.perf_counter()
        function(x)
        return time.perf_counter() - start

    NUMPY.erf(x[:1])  # computes the coefficients
    ours, slow = (min(seconds(f) for _ in range(5)) for f in (NUMPY.erf, one_by_one))
    print(f"erf of 1e6 float32: {1e3 * ours:.1f} ms, one by one {1e3 * slow:.1f} ms")
    assert ours < slow / 2


@pytest.mark.parametrize(
    ("dtype", "start", "limit"),
    [("float64", -37.0, 3e-15), ("float32", -5.0, 1e-6), ("float32", -12.9, 1e-5)],
)
def test_normal_distribution_function(dtype, start, limit):
    x = np.linspace(start, 15, 40001).astype(dtype)
    want = np.array([math.erfc(-v * math.sqrt(0.5)) / 2 for v in x.astype(float).tolist()])
    y = NUMPY.normal_cdf(x)
    assert y.dtype == x.dtype
    # the argument of the exact value is itself rounded: x^2 / 2 of a half unit in the last place
    error = relative_error(y, want)
    print(f"from {start} in {dtype}: largest relative error {error:.2e}")
    assert error < limit + (600 * 2.3e-16 if dtype == "float64" else 0)
    ends = NUMPY.normal_cdf(np.array([-np.inf, -40.0, 0.0, 40.0, np.inf], dtype))
    np.testing.assert_allclose(ends, [0, 0, 0.5, 1, 1], rtol=1e-7, atol=1e-300)
    assert np.isnan(NUMPY.normal_cdf(np.array([np.nan], dtype))).all()


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1)])
def test_blocks_keep_values_and_the_order_of_memory(order):
    x = np.random.default_rng(2).normal(size=(2, 1000, 600)).transpose(order)
    y = np.random.default_rng(3).normal(size=x.shape)
    total, product = NUMPY.in_blocks(lambda xp, a, b: (a + b, a * b), x, y)
    assert np.array_equal(total, x + y)
    assert np.array_equal(product, x * y)
    assert total.strides == product.strides == x.strides
    assert np.array_equal(NUMPY.in_blocks(lambda xp, a: -a, x), -x)
    assert NUMPY.in_blocks(lambda xp, a: np.negative(a, out=a), np.array(2.0)).shape == ()
