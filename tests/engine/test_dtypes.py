"""Dtypes: what data become, and torch's promotion with weak Python numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
SCALARS = (True, 2, 2.5)
BINARY = ("add", "sub", "mul", "div", "pow", "eq", "lt", "maximum", "atan2", "hypot")


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1, "int64"), (True, "bool"), (1.5, "float32"), ([1, 2], "int64"), ([1, 2.5], "float32"),
        ([], "float32"), ([[True], [False]], "bool"), (np.ones(2), "float64"),
        (np.ones(2, "f2"), "float16"), (np.ones(2, ">f4"), "float32"), (np.float64(2), "float64"),
        (np.arange(3, dtype="i4"), "int32"), (range(3), "int64"),
    ],
)  # fmt: skip
def test_dtype_of_data(data: Any, dtype: str) -> None:
    x = mg.tensor(data)
    assert x.dtype == dtype
    assert x.dtype.isnative


def test_data_are_copied() -> None:
    source = np.ones(3)
    x = mg.tensor(source)
    source[:] = 7.0
    assert x.tolist() == [1.0, 1.0, 1.0]
    assert np.shares_memory(mg.as_tensor(source)._array, source)


def test_dtype_can_be_asked_for() -> None:
    assert mg.tensor([1, 2], dtype=mg.float16).dtype == mg.float16
    assert mg.tensor([1.7], dtype="int32").tolist() == [1]
    assert mg.tensor([1.0], dtype=float).dtype == mg.float64


@pytest.mark.parametrize("dtype", ["complex64", "S3", object, "datetime64[s]"])
def test_dtype_that_is_not_supported(dtype: Any) -> None:
    with pytest.raises(TypeError, match="not supported: use bool, int, or float16/32/64"):
        mg.tensor([1], dtype=dtype)


def test_dtype_that_is_none() -> None:
    with pytest.raises(TypeError, match=r"'float33' is not a dtype; say for example mg\.float32"):
        mg.tensor([1], dtype="float33")
    with pytest.raises(TypeError, match="complex128 is not supported"):
        mg.tensor(np.ones(2, complex))


def test_default_dtype() -> None:
    assert mg.get_default_dtype() == mg.float32
    try:
        mg.set_default_dtype(mg.float64)
        assert mg.tensor([1.5]).dtype == mg.float64
        assert mg.zeros(2).dtype == mg.float64
        assert mg.exp(mg.tensor([1, 2])).dtype == mg.float64
    finally:
        mg.set_default_dtype(mg.float32)
    with pytest.raises(TypeError, match="must be a floating one, not int64"):
        mg.set_default_dtype(mg.int64)


# ---- weak numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    "number", [2, 2.5, True, np.float64(2.5), np.float32(2.5), np.int64(2), np.bool_(True)]
)
def test_numbers_do_not_promote_floats(dtype: str, number: Any) -> None:
    x = mg.tensor([1.0, 2.0], dtype=dtype, requires_grad=True)
    for y in (x + number, number + x, x * number, number * x, x - number, number - x, x / number,
              number / x, x**number, number**x, mg.maximum(x, number)):  # fmt: skip
        assert isinstance(y, mg.Tensor)
        assert y.dtype == dtype
    y.sum().backward()
    assert x.grad.dtype == dtype


def test_chain_of_scalars_stays_float32_with_its_gradients() -> None:
    """What NumPy 2 broke silently in other engines: a 0-d array is no Python number."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = mg.sigmoid(x * 2.0 + np.float64(1.0)) / np.sqrt(1 / 3) - np.mean([1.0, 2.0])
    (y.mean() * 0.5).backward()
    assert y.dtype == mg.float32
    assert x.grad.dtype == mg.float32


def test_promotion_of_arrays_with_0d() -> None:
    wide, zero = mg.ones(3), mg.tensor(2.0, dtype=mg.float64)
    assert (wide * zero).dtype == mg.float32
    assert (zero * wide).dtype == mg.float32
    assert (zero * mg.tensor(1.0)).dtype == mg.float64
    assert (mg.tensor([1, 2]) * mg.tensor(1.5)).dtype == mg.float32
    assert (mg.tensor([1, 2], dtype=mg.int32) * mg.tensor(3)).dtype == mg.int32


@pytest.mark.parametrize("dtype", ["float16", "float32", "int32", "bool"])
def test_writing_into_a_tensor_keeps_its_dtype(dtype: str) -> None:
    x = mg.zeros(3, dtype=dtype)
    x[0] = mg.tensor(1, dtype=mg.int64)
    x[1:] = np.array([1, 0])
    assert x.dtype == dtype
    assert x.tolist() == [1, 1, 0]
    if x.is_floating_point():
        x[0] = mg.tensor(2.5, dtype=mg.float64)
        assert x.dtype == dtype
        assert x[0].item() == 2.5
        v = mg.tensor([1.5, 2.5], dtype=mg.float64, requires_grad=True)
        x[1:] = v
        x.backward(np.array([1.0, 2.0, 3.0], dtype))
        assert x.dtype == dtype
        assert v.grad.dtype == mg.float64
        assert v.grad.tolist() == [2.0, 3.0]
    else:
        with pytest.raises(TypeError, match=r"float values do not fit.*\.float\(\)"):
            x[0] = mg.tensor(2.5)


def _torch_result(torch: Any, name: str, *operands: Any) -> tuple[str, Any]:
    """Return torch's dtype and values, or "refused"."""
    made = [
        torch.from_numpy(np.array(x)) if isinstance(x, (np.ndarray, np.generic)) else x
        for x in operands
    ]
    try:
        y = getattr(torch, name)(*made)
    except (RuntimeError, TypeError):
        return "refused", None
    return str(y.dtype).removeprefix("torch."), y.numpy()


def _both(torch: Any, name: str, *operands: Any) -> None:
    """Compare an op's dtype and values with torch's."""
    wanted, values = _torch_result(torch, name, *operands)
    made = [mg.tensor(x) if isinstance(x, (np.ndarray, np.generic)) else x for x in operands]
    if wanted == "refused":
        return  # what must be refused as well is listed in tests/ops/test_against_torch.py
    y = getattr(mg, name)(*made)
    assert y.dtype == wanted, f"{name}{operands}: {y.dtype}, torch gives {wanted}"
    if y.dtype.kind == "f":
        np.testing.assert_allclose(y.numpy(), values, rtol=2e-3 if wanted == "float16" else 1e-6)
    else:
        np.testing.assert_array_equal(y.numpy(), values)


@pytest.mark.parametrize("name", BINARY)
def test_promotion_of_two_tensors_is_torchs(name: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    full = {d: np.array([1, 0, 1]).astype(d) for d in DTYPES}
    ones = {d: np.array([1, 1, 1]).astype(d) for d in DTYPES}
    zero = {d: np.ones((), d) for d in DTYPES}
    for a in DTYPES:
        for b in DTYPES:
            _both(torch, name, full[a], ones[b])
            _both(torch, name, full[a], zero[b])
            _both(torch, name, zero[a], ones[b])
            _both(torch, name, zero[a], zero[b])


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "eq", "lt"])
def test_promotion_with_numbers_is_torchs(name: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    for a in DTYPES:
        for number in SCALARS:
            if name == "pow" and a == "bool" and number is True:
                continue  # refused, as of two bool tensors, which torch refuses too
            _both(torch, name, np.array([1, 1, 0]).astype(a), number)
            _both(torch, name, np.ones((), a), number)
