"""Every op that has a namesake in PyTorch, compared with it: values, dtypes, two derivatives.

The summary of the run says how many ops and samples were compared (see tests/conftest.py), and
`NOT_IN_TORCH` in tests/support/torch_calls.py why the others were not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import Case, cases
from support.checks import close, cotangents, host, pull
from support.torch_calls import NOT_IN_TORCH, call_torch, namesake, tensors

from minigrad.engine.op import TABLE

torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")

CASES = [c for c in cases(TABLE.values()) if namesake(torch, c.row) is not None]
TOLERANCE = {"float64": 1e-11, "float32": 2e-5, "float16": 1e-2}


def assert_like(y: Any, t: Any, what: str, tolerance: float | None = None) -> None:
    """Assert that a tensor has the shape, the dtype and the values of torch's."""
    theirs = t.detach().resolve_neg().numpy()
    assert y.shape == theirs.shape, f"{what}: shape {y.shape}, torch {theirs.shape}"
    assert y.dtype == theirs.dtype, f"{what}: {y.dtype}, torch {theirs.dtype}"
    if y.dtype.kind == "f":
        close(y, theirs, tolerance or TOLERANCE[y.dtype.name])
    else:
        np.testing.assert_array_equal(host(y), theirs, err_msg=what)


def torch_grads(outputs: Any, inputs: Any, given: Any, **how: Any) -> Any:
    ends = [(y, torch.from_numpy(host(g).copy())) for y, g in zip(outputs, given, strict=True)]
    ends = [(y, g) for y, g in ends if y.requires_grad]
    if not ends or not inputs:
        return [None] * len(inputs)
    return torch.autograd.grad(
        [y for y, _ in ends], inputs, [g for _, g in ends], allow_unused=True, **how
    )


def assert_gradients_like(mine: Any, theirs: Any, what: str, tolerance: float) -> None:
    """Compare gradients; where one library gives none, the other must give none or zeros."""
    for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        if a is None or b is None:
            rest = (
                host(a) if a is not None else b.detach().numpy() if b is not None else np.zeros(1)
            )
            assert not rest.any(), f"{what} {i}: only one library has a gradient"
        else:
            assert_like(a, b, f"{what} {i}", tolerance)


def test_every_row_is_compared_or_says_why() -> None:
    alone = {row.name for row in TABLE.values() if namesake(torch, row) is None}
    assert alone == set(NOT_IN_TORCH)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_values_and_derivatives(case: Case, dtype: str) -> None:
    function = namesake(torch, case.row)
    assert function is not None
    call = case.draw(np.dtype(dtype))
    mine, theirs = call.tensors("cpu"), tensors(torch, call.values)
    y, t = call.on(mine), call_torch(torch, function, call, theirs)
    assert len(y) == len(t)
    for a, b in zip(y, t, strict=True):
        assert_like(a, b, "value")
    x, s = ([v[i] for i in call.floating] for v in (mine, theirs))
    g = cotangents(y)
    order = case.row.facts.order  # type: ignore[union-attr]
    if order == 0 or not x:
        return
    once = pull(y, x, g, create_graph=True)
    again = torch_grads(t, s, g, create_graph=True)
    assert_gradients_like(once, again, "gradient", 10 * TOLERANCE[dtype])
    if order < 2 or dtype != "float64":
        return
    kept = [(a, b) for a, b in zip(once, again, strict=True) if a is not None and b is not None]
    h = cotangents([a for a, _ in kept], seed=1)
    assert_gradients_like(
        pull([a for a, _ in kept], x, h),
        torch_grads([b for _, b in kept], s, h),
        "second derivative",
        1e-9,
    )


# ---- other dtypes -------------------------------------------------------------------------------


def drawn_as(case: Case, dtypes: list[str]) -> list[Any]:
    """Return a case's operands with the floating ones in other dtypes."""
    call = case.draw()
    values, kinds = list(call.values), iter(dtypes)
    for i in call.floating:
        dtype = np.dtype(next(kinds))
        x = values[i]
        if dtype.kind in "iu":
            x = np.round(np.abs(x) if dtype.kind == "u" else x)
        values[i] = (x > 0) if dtype.kind == "b" else x.astype(dtype)
    return values


MIXED = [
    ["int64"] * 4, ["bool"] * 4, ["uint8"] * 4, ["int32"] * 4, ["float16"] * 4,
    ["float32", "float64", "float32", "float32"], ["int64", "float32", "float32", "float32"],
    ["bool", "int64", "int64", "int64"], ["float64", "int32", "bool", "bool"],
    ["float16", "float32", "float32", "float32"], ["uint8", "int8", "int8", "int8"],
]  # fmt: skip
MIXABLE = [c for c in CASES if c.row.cast is not None and c.number == 1]


@pytest.mark.parametrize("dtypes", MIXED, ids=lambda d: "-".join(d[:2]))
@pytest.mark.parametrize("case", MIXABLE, ids=lambda c: c.id)
def test_other_dtypes(case: Case, dtypes: list[str]) -> None:
    """Where torch takes operands of these dtypes, the result is torch's, dtype included."""
    function = namesake(torch, case.row)
    assert function is not None
    call = case.draw()
    values = drawn_as(case, dtypes * len(call.values))
    try:
        t = call_torch(torch, function, call, tensors(torch, values))
    except (RuntimeError, TypeError, IndexError, ValueError):
        return  # what both must refuse is listed below
    with np.errstate(all="ignore"):
        y = call.on(call.tensors("cpu", values))
    for a, b in zip(y, t, strict=True):
        assert_like(a, b, "value")
