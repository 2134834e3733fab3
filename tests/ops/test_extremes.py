"""Far out and at the edges: huge, tiny, infinite and NaN values, kinks and ties, without a warning.

Warnings are errors in these tests (pyproject.toml): NumPy must not complain where the result is
right. Values that have no result (log of -1) may.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.cases import Call, is_elementwise
from support.checks import host
from support.torch_calls import call_torch, namesake, tensors

import minigrad as mg
from minigrad.engine.op import TABLE, Op

HALF, FLOATS = "float16", ("float16", "float32", "float64")
RTOL = {"float64": 1e-12, "float32": 2e-6, "float16": 2e-3}
BIG = [1e4, -1e4]


# ---- known results, for every dtype, with no other library ---------------------------------------

KNOWN: list[tuple[str, Callable[[Any], Any], Any, Any]] = [
    ("sigmoid", mg.sigmoid, [*BIG, 0.0, np.inf, -np.inf], [1, 0, 0.5, 1, 0]),
    ("tanh", mg.tanh, [*BIG, 0.0, np.inf, -np.inf], [1, -1, 0, 1, -1]),
    ("softplus", mg.softplus, [*BIG, np.inf, -np.inf], [1e4, 0, np.inf, 0]),
    ("logsigmoid", mg.logsigmoid, [*BIG, np.inf, -np.inf], [0, -1e4, 0, -np.inf]),
    ("silu", mg.silu, [*BIG, 0.0], [1e4, 0, 0]),
    ("mish", mg.mish, [*BIG, 0.0], [1e4, 0, 0]),
    ("gelu", mg.gelu, [*BIG, 0.0], [1e4, 0, 0]),
    ("gelu_tanh", lambda x: mg.gelu(x, approximate="tanh"), [*BIG, 0.0], [1e4, 0, 0]),
    ("elu", mg.elu, [*BIG, -np.inf], [1e4, -1, -1]),
    ("celu", mg.celu, [*BIG, -np.inf], [1e4, -1, -1]),
    ("erf", mg.erf, [*BIG, np.inf, -np.inf], [1, -1, 1, -1]),
    ("erfc", mg.erfc, [*BIG, np.inf, -np.inf], [0, 2, 0, 2]),
    ("softmax", lambda x: mg.softmax(x, 0), [1e4, -1e4, 1e4], [0.5, 0, 0.5]),
    ("softmax", lambda x: mg.softmax(x, 0), [0.0, -np.inf], [1, 0]),
    ("log_softmax", lambda x: mg.log_softmax(x, 0), [1e4, 0.0, -1e4], [0, -1e4, -2e4]),
    ("logsumexp", lambda x: mg.logsumexp(x, 0), [1e4, -1e4], 1e4),
    ("logsumexp", lambda x: mg.logsumexp(x, 0), [-np.inf, -np.inf], -np.inf),
    ("logsumexp", lambda x: mg.logsumexp(x, 0), [-np.inf, 2.0], 2.0),
    ("logsumexp", lambda x: mg.logsumexp(x, 0), [np.inf, 2.0], np.inf),
    ("logaddexp", lambda x: mg.logaddexp(x, -x), BIG, [1e4, 1e4]),
    ("logaddexp", lambda x: mg.logaddexp(x, x), [-np.inf, np.inf], [-np.inf, np.inf]),
    ("hypot", lambda x: mg.hypot(x, x * 0.0), BIG, [1e4, 1e4]),
    ("log1p", mg.log1p, [0.0, -1.0, np.inf], [0, -np.inf, np.inf]),
    ("log", mg.log, [0.0, 1.0, np.inf], [-np.inf, 0, np.inf]),
    ("cross_entropy", lambda x: mg.cross_entropy(x, mg.tensor(1)), [1e4, -1e4], 2e4),
    ("cross_entropy", lambda x: mg.cross_entropy(x, mg.tensor(0)), [1e4, -1e4], 0),
    (
        "binary_cross_entropy_with_logits",
        lambda x: mg.binary_cross_entropy_with_logits(x, (x < 0) * x**0, reduction="none"),
        BIG,
        [1e4, 1e4],
    ),
    ("sqrt", mg.sqrt, [0.0, np.inf], [0, np.inf]),
    ("rsqrt", mg.rsqrt, [0.0, np.inf], [np.inf, 0]),
    ("reciprocal", mg.reciprocal, [0.0, np.inf], [np.inf, 0]),
    ("var", lambda x: mg.var(x), [1e2 + 1, 1e2 - 1, 1e2 + 1, 1e2 - 1], 4 / 3),
]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("name", "go", "x", "wanted"), KNOWN, ids=[k[0] for k in KNOWN])
def test_known_results(name: str, go: Any, x: Any, wanted: Any, dtype: str) -> None:
    t = mg.tensor(x, dtype=dtype, requires_grad=True)
    y = go(t)
    assert y.dtype == dtype
    np.testing.assert_allclose(host(y).astype(float), wanted, rtol=RTOL[dtype], atol=1e-300)
    if not np.isfinite(host(y)).all():
        return
    y.backward(np.ones(y.shape))  # gradients at +-1e4 are finite
    if np.isfinite(x).all() and name not in ("sqrt", "rsqrt", "reciprocal"):
        assert np.isfinite(host(t.grad)).all(), t.grad


@pytest.mark.parametrize("dtype", FLOATS)
def test_small_arguments_keep_their_digits(dtype: str) -> None:
    tiny = mg.tensor([1e-4, -1e-4], dtype=dtype)
    exact = host(tiny).astype(np.float64)
    for function, true in (
        (mg.log1p, np.log1p), (mg.expm1, np.expm1), (mg.sinh, np.sinh), (mg.tanh, np.tanh),
        (mg.erf, lambda v: 2 / np.sqrt(np.pi) * (v - v**3 / 3)), (mg.asinh, np.arcsinh),
        (mg.atanh, np.arctanh), (mg.elu, lambda v: np.where(v > 0, v, np.expm1(v))),
    ):  # fmt: skip
        found = host(function(tiny)).astype(np.float64)
        np.testing.assert_allclose(found, true(exact), rtol=RTOL[dtype], err_msg=str(function))


def test_gradients_of_saturated_functions() -> None:
    x = mg.tensor([1e4, -1e4, 0.0], dtype=mg.float64, requires_grad=True)
    for function, slopes in (
        (mg.sigmoid, [0, 0, 0.25]), (mg.softplus, [1, 0, 0.5]), (mg.logsigmoid, [0, 1, 0.5]),
        (mg.tanh, [0, 0, 1]), (mg.silu, [1, 0, 0.5]), (mg.gelu, [1, 0, 0.5]),
        (mg.mish, [1, 0, 0.6]),
    ):  # fmt: skip
        (g,) = mg.autograd.grad(function(x), x, np.ones(3))
        np.testing.assert_allclose(g.numpy(), slopes, rtol=1e-12, err_msg=str(function))


def test_cross_entropy_of_a_sure_and_wrong_model_has_a_gradient() -> None:
    x = mg.tensor([[1e4, -1e4]], dtype=mg.float64, requires_grad=True)
    mg.cross_entropy(x, mg.tensor([1])).backward()
    assert x.grad.tolist() == [[1.0, -1.0]]


# ---- every elementwise op, at special values, against torch -------------------------------------

VALUES = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 6.0, 20.0, 30.0, -30.0, 100.0,
          -100.0, 1e4, -1e4, 6e4, 1e-3, -1e-3, np.inf, -np.inf, np.nan]  # fmt: skip

# (op, "value" or "gradient"): where minigrad differs from torch, with the reason
DIFFERENT = {
    ("acosh", "gradient"): "in float16, torch's x * x overflows from 256 on and it answers 0",
    ("atan2", "gradient"): "in float16, torch's x * x underflows below 0.002 and it answers NaN",
    ("floor_divide", "gradient"): "torch has none; here it is 0, as of floor",
    ("gelu", "value"): "torch computes 1 + erf(x), which cancels for x < -3",
    ("gelu", "gradient"): "torch computes 1 + erf(x), which cancels for x < -3",
    ("hardsigmoid", "gradient"): "torch's slope is 1/6 rounded to float32, in float64 too",
    ("sign", "value"): "NaN stays NaN, as in NumPy; torch answers 0",
    ("softsign", "gradient"): "torch's derivative cancels far out",
    ("tanhshrink", "gradient"): "torch's derivative, 1 - (1 - tanh^2), cancels near 0",
}


def special_rows() -> list[Op]:
    return [r for r in TABLE.values() if is_elementwise(r)]


def grid(row: Op, dtype: str) -> list[np.ndarray[Any, Any]]:
    """Return special values for each operand: all of them, or all pairs."""
    count = len(row.facts.samples[0].operands)  # type: ignore[union-attr]
    values = np.array(VALUES + [float(k) for k in row.facts.kinks], dtype)  # type: ignore[union-attr]
    few = values if count < 3 else values[::3]
    return [a.ravel() for a in np.meshgrid(*[few] * count, indexing="ij")]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("row", special_rows(), ids=lambda r: r.name)
def test_special_values_are_torchs(row: Op, dtype: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: no comparison")
    function = namesake(torch, row)
    if function is None:
        return
    call = Call(row, grid(row, dtype), {})
    theirs = tensors(torch, call)
    try:
        (t,) = call_torch(torch, function, call, theirs)
    except RuntimeError:
        return  # torch has none for this dtype on the CPU
    wanted = t.detach().numpy()
    if wanted.dtype.kind == "f":  # NumPy must be silent but where numbers overflow or give NaN
        finite = np.all([np.isfinite(v) for v in call.values], axis=0)
        quiet = np.isfinite(wanted) | (np.isinf(wanted) & ~finite)
        silent = Call(row, [v[quiet] for v in call.values], {})
        silent.on(silent.tensors("cpu"))
    mine = call.tensors("cpu")
    with np.errstate(all="ignore"):
        (y,) = call.on(mine)
    if (row.name, "value") not in DIFFERENT:
        assert_same(row, "value", call.values, host(y), wanted, dtype)
    if not t.requires_grad or (row.name, "gradient") in DIFFERENT:
        return
    t.backward(torch.ones_like(t))
    with np.errstate(all="ignore"):
        y.backward(np.ones(y.shape))
    for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        slopes = np.zeros(y.shape, dtype) if b.grad is None else b.grad.numpy()
        found = np.zeros(y.shape, dtype) if a.grad is None else host(a.grad)
        number = ~np.any([np.isnan(v) for v in call.values], axis=0)
        at = [v[number] for v in call.values]
        assert_same(row, f"gradient {i}", at, found[number], slopes[number], dtype)


def assert_same(row: Op, what: str, at: Any, found: Any, wanted: Any, dtype: str) -> None:
    """Assert equality, NaN and infinities included, and say where it does not hold."""
    assert found.dtype == wanted.dtype, f"{row.name}: {what} is {found.dtype}, torch {wanted.dtype}"
    if found.dtype.kind != "f":
        good = found == wanted
    else:
        tolerance = 10 * RTOL[dtype]
        with np.errstate(all="ignore"):
            near = np.abs(found - wanted) <= tolerance * np.abs(wanted) + np.finfo(dtype).tiny
        good = near | (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    places = np.flatnonzero(~good)[:6]
    shown = [f"at {tuple(float(v[k]) for v in at)}: {found[k]}, torch {wanted[k]}" for k in places]
    assert not len(places), f"{what} of {row.name} in {dtype}: " + "; ".join(shown)
