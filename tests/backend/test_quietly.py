"""Values that are infinite or NaN by definition come without NumPy's warnings, and only those."""

import threading
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import NUMPY

ZERO = np.zeros(3)


def test_silent_inside_and_loud_outside():
    with np.errstate(all="raise"):
        assert NUMPY.quietly(np.log, ZERO).tolist() == [-np.inf] * 3
        with pytest.raises(FloatingPointError):
            np.log(ZERO)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        np.log(ZERO)
    assert len(caught) == 1


def test_may_be_nested():
    assert NUMPY.quietly(NUMPY.quietly, np.log, ZERO).tolist() == [-np.inf] * 3


def test_errors_pass_through():
    with pytest.raises(ValueError, match="broadcast"):
        NUMPY.quietly(np.add, np.ones(2), np.ones(3))


def test_threads_do_not_meet():
    found = []

    def work():
        with np.errstate(all="raise"):
            found.extend(NUMPY.quietly(np.log, ZERO)[0] for _ in range(300))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [-np.inf] * 1200


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (mg.sqrt, np.inf), (mg.log, np.inf), (mg.rsqrt, -np.inf), (mg.reciprocal, -np.inf),
        (lambda x: x**0.5, np.inf), (lambda x: 2 / x, -np.inf), (lambda x: mg.asin(x + 1), np.inf),
        (lambda x: mg.atanh(x - 1), np.inf), (lambda x: mg.acosh(x + 1), np.inf),
    ],
)  # fmt: skip
def test_infinite_gradients_are_silent(function, slope, create_graph):
    x = mg.tensor([0.0], requires_grad=True)
    with np.errstate(all="raise"):
        (g,) = mg.autograd.grad(function(x), x, mg.ones(1), create_graph=create_graph)
    assert g.tolist() == [slope]


@pytest.mark.parametrize("shape", [(2, 5), (3, 2, 5)])
def test_a_product_is_silent_whatever_its_blas_flags(shape):
    """A BLAS may flag finite numbers, so that the flag means nothing (warnings are errors here)."""
    a = mg.ones(*shape)
    a[..., 0] = np.inf
    found = (a @ mg.zeros(5, 1)).numpy()
    assert np.isnan(found).all()
