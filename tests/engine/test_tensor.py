"""What a tensor says about itself, and how its data are replaced."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg


def test_properties() -> None:
    x = mg.ones(2, 3)
    assert (x.shape, x.ndim, x.dim(), x.size(), x.size(1), x.numel()) == (
        (2, 3), 2, 2, (2, 3), 3, 6,
    )  # fmt: skip
    assert x.nbytes == 24
    assert x.is_floating_point()
    assert not mg.tensor([1]).is_floating_point()
    assert x.is_contiguous()
    assert not x.T.is_contiguous()
    assert x.T.shape == (3, 2)
    assert x.mT.shape == (3, 2)
    assert str(x.device) == "cpu"


def test_conversions() -> None:
    x = mg.tensor([1.5, 0.0])
    assert x.double().dtype == mg.float64
    assert x.half().dtype == mg.float16
    assert x.long().tolist() == [1, 0]
    assert x.int().dtype == mg.int32
    assert x.bool().tolist() == [True, False]
    assert x.float() is x
    assert x.to(mg.float64).dtype == mg.float64
    assert x.to(mg.ones(1, dtype=mg.float64)).dtype == mg.float64
    assert x.type_as(mg.tensor([1])).dtype == mg.int64
    assert x.to(copy=True) is not x
    assert x.astype("float64").dtype == mg.float64


def test_conversion_is_differentiated_in_the_operands_dtype() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    x.double().backward(np.array([1.0, 1e-3]))
    assert x.grad.dtype == mg.float32
    np.testing.assert_allclose(x.grad.numpy(), [1.0, 1e-3], rtol=1e-6)


def test_data_can_be_replaced() -> None:
    w = mg.ones(2, requires_grad=True)
    w.data = mg.tensor([[3.0, 4.0, 5.0]])
    assert w.requires_grad
    assert w.shape == (1, 3)
    (w * 2.0).sum().backward()
    assert w.grad.shape == (1, 3)
    w.data = [7.0]
    assert w.tolist() == [7.0]


def test_replaced_data_are_missed_by_an_earlier_graph() -> None:
    w, x = mg.ones(2, requires_grad=True), mg.ones(2, requires_grad=True)
    y = w * x
    w.data = mg.zeros(2)
    with pytest.raises(mg.MutationError, match=r"assignment to \.data"):
        y.backward(np.ones(2))


def test_name() -> None:
    x = mg.ones(2)
    assert x.name is None
    x.name = "weight"
    assert x.name == "weight"
