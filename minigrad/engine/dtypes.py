"""Dtypes: what an op's operands are cast to (torch's promotion), and how data become an array.

Python numbers are weak: they take the tensor's dtype, and only their kind (bool < int < float)
can raise it. A 0-d tensor is weak towards a tensor with axes in the same way. So float32 stays
float32, whatever scalars it meets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.backend import (
    BACKENDS,
    CPU,
    Array,
    Device,
    backend_of,
    get_backend,
    get_default_device,
    is_array,
    to_device,
)

DType = Any  # whatever numpy.dtype accepts

float16, float32, float64 = np.dtype("f2"), np.dtype("f4"), np.dtype("f8")
int8, int16, int32, int64 = np.dtype("i1"), np.dtype("i2"), np.dtype("i4"), np.dtype("i8")
uint8, bool_ = np.dtype("u1"), np.dtype("?")

_KINDS = {"b": 0, "i": 1, "u": 1, "f": 2}
_default = float32


def get_default_dtype() -> np.dtype[Any]:
    """Return the dtype of new floating tensors (float32 unless changed)."""
    return _default


def set_default_dtype(dtype: DType) -> None:
    """Set the dtype of new floating tensors: float16, float32 or float64."""
    global _default
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise TypeError(f"the default dtype must be a floating one, not {dtype}")
    _default = dtype


def check_dtype(dtype: DType) -> np.dtype[Any]:
    """Return ``dtype`` as a `numpy.dtype` that minigrad computes with, or raise `TypeError`."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        raise TypeError(
            f"{dtype!r} is not a dtype; say for example mg.float32 or 'int64'"
        ) from None
    if found.kind not in _KINDS or found.itemsize > 8:
        raise TypeError(f"dtype {found} is not supported: use bool, int, or float16/32/64")
    return found


def promote(operands: Sequence[Any]) -> np.dtype[Any]:
    """Return the dtype in which an op computes on these arrays and Python numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.engine.dtypes import promote
    >>> str(promote([np.ones(3, "f4"), 2.5])), str(promote([np.ones(3, "i8"), 2.5]))
    ('float32', 'float32')
    >>> str(promote([np.ones(3, "f4"), np.ones((), "f8")]))
    'float32'
    """
    full = zero = number = None  # of arrays with axes, of 0-d arrays, of Python numbers
    for x in operands:
        if is_array(x):
            if x.ndim:
                full = _join(full, x.dtype)
            else:
                zero = _join(zero, x.dtype)
        elif x is not None:
            kind = bool_ if isinstance(x, bool) else int64 if isinstance(x, int) else _default
            number = _join(number, kind)
    result = full
    for weaker in (zero, number):
        if result is None or (weaker is not None and _KINDS[weaker.kind] > _KINDS[result.kind]):
            result = weaker
    assert result is not None
    return result


def _join(a: np.dtype[Any] | None, b: np.dtype[Any]) -> np.dtype[Any]:
    """Return the common dtype of two; of an int and a float, the float (NumPy: float64)."""
    if a is None or _KINDS[a.kind] < _KINDS[b.kind]:
        return b
    return a if _KINDS[a.kind] > _KINDS[b.kind] else np.promote_types(a, b)


def settle(operands: list[Any], at: Sequence[int], to_float: bool) -> None:
    """Cast, in place in the list, the operands at some positions to their common dtype."""
    first = operands[at[0]]
    if type(first) in BACKENDS:  # the usual case, tested first: one floating dtype, Python numbers
        dtype = first.dtype
        if dtype.kind == "f":
            for i in at[1:]:
                kind = type(operands[i])
                if kind is float or kind is int:
                    continue
                if kind not in BACKENDS or operands[i].dtype is not dtype:
                    break
            else:
                return
    for i in at:
        operands[i] = as_operand(operands[i])
    dtype = promote([operands[i] for i in at])
    if to_float and dtype.kind != "f":
        dtype = _default
    for i in at:
        x = operands[i]
        if is_array(x):
            operands[i] = x.astype(dtype, copy=False)
        elif x is not None and dtype.kind == "f":
            operands[i] = float(x)


def as_operand(x: Any) -> Any:
    """Return a plain value as an op takes it: an array, or a Python number; else `TypeError`."""
    if x is None or isinstance(x, (bool, int)):
        return x
    if isinstance(x, float):
        return float(x)  # numpy.float64 is a float, and must not be strong
    if isinstance(x, np.generic):
        return x.item()
    if isinstance(x, np.ndarray):
        check_dtype(x.dtype)
        return x if type(x) in BACKENDS else np.asarray(x)
    if is_array(x):
        return x
    raise TypeError(
        f"an operand must be a Tensor, an array or a number, not {type(x).__name__} {x!r:.60}; "
        "make a tensor of it first: mg.tensor(...)"
    )


def make_array(data: Any, dtype: DType | None, device: str | Device | None, copy: bool) -> Array:
    """Return data (numbers, nested lists, arrays, tensors' arrays) as an array of a backend.

    Arrays keep their dtype; Python floats become the default dtype, ints int64, bools bool. What
    is not on a GPU goes to the default device if none is given.
    """
    wanted = None if dtype is None else check_dtype(dtype)
    if is_array(data):
        check_dtype(data.dtype)
        array = (
            data
            if type(data) in BACKENDS and not isinstance(data, np.generic)
            else np.asarray(data)
        )
    else:
        array = _from_python(data)
        if wanted is None and array.dtype == float64:
            wanted = _default
        copy = False
    if wanted is None:
        wanted = array.dtype.newbyteorder("=")
    if array.dtype != wanted:
        array, copy = array.astype(wanted), False
    if device is not None:
        target = Device.parse(device)
    else:
        target = backend_of(array).device_of(array)
        target = get_default_device() if target == CPU else target
    if target != CPU:
        get_backend(target)
    moved = to_device(array, target)
    return moved.copy() if copy and moved is array else moved


def _from_python(data: Any) -> Array:
    try:
        array = np.array(data)
    except ValueError as error:
        raise ValueError(
            f"cannot make a tensor of {data!r:.80}: its rows have different lengths "
            f"(pad them to one length first); NumPy says: {error}"
        ) from None
    if array.dtype.kind not in _KINDS:
        raise TypeError(
            f"cannot make a tensor of {data!r:.80} (it would be {array.dtype}); "
            "tensors hold bools, ints and floats: turn text into numbers first"
        )
    return array
