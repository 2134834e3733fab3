"""Every op that has a namesake in PyTorch, compared with it: values, dtypes, two derivatives.

The summary of the run says how many ops and samples were compared (see tests/conftest.py), and
`NOT_IN_TORCH` in tests/support/torch_calls.py why the others were not.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.cases import Case, cases
from support.checks import close, cotangents, host, pull
from support.torch_calls import (
    LACKS,
    NOT_IN_TORCH,
    REFUSED,
    call_torch,
    compared,
    namesake,
    tensors,
)

from minigrad.engine.op import TABLE, Op

torch: Any = importlib.import_module("torch") if importlib.util.find_spec("torch") else None
pytestmark = pytest.mark.skipif(torch is None, reason="torch is not installed: no comparison")

TOLERANCE = {"float64": 1e-11, "float32": 2e-5, "float16": 1e-2}
# Gradients differ by more, for this reason:
LOOSE = {"hardsigmoid": (1e-7, "torch's slope is 1/6 rounded to float32, in float64 too")}


def torch_rows() -> list[Op]:
    """Return the rows that torch has (all, where it is missing: they are then skipped)."""
    return [row for row in TABLE.values() if torch is None or namesake(torch, row) is not None]


def torch_cases() -> list[Case]:
    return [c for c in cases(torch_rows()) if c.id not in REFUSED]


def test_every_row_is_compared_or_says_why() -> None:
    alone = set(TABLE) - {row.name for row in torch_rows()}
    assert alone == set(NOT_IN_TORCH), "rows that torch does not have need a reason in NOT_IN_TORCH"
    assert {c.id for c in cases(TABLE.values())} >= set(REFUSED)


def theirs(t: Any) -> np.ndarray[Any, Any]:
    return t.detach().numpy(force=True)  # type: ignore[no-any-return]


def assert_like(y: Any, t: Any, what: str, tolerance: float, floor: float = 0.0) -> None:
    """Assert that a tensor has the shape, the dtype and the values of torch's."""
    wanted = theirs(t)
    assert y.shape == wanted.shape, f"{what}: shape {y.shape}, torch {wanted.shape}"
    assert y.dtype == wanted.dtype, f"{what}: {y.dtype}, torch {wanted.dtype}"
    if y.dtype.kind == "f":
        close(y, wanted, tolerance, floor)
    else:
        np.testing.assert_array_equal(host(y), wanted, err_msg=what)


def torch_grads(outputs: Any, inputs: Any, given: Any, **how: Any) -> Any:
    """Return torch's gradients; None for all if torch says that it has none."""
    ends = [(y, torch.from_numpy(host(g).copy())) for y, g in zip(outputs, given, strict=True)]
    ends = [(y, g) for y, g in ends if y.requires_grad]
    if not ends:
        return [None] * len(inputs)
    try:
        return torch.autograd.grad(
            [y for y, _ in ends], inputs, [g for _, g in ends], allow_unused=True, **how
        )
    except RuntimeError as error:
        if any(text in str(error) for text in LACKS):
            return None
        raise


def assert_gradients_like(mine: Any, other: Any, what: str, tolerance: float) -> None:
    """Compare gradients; where one library gives none, the other must give none or zeros."""
    for i, (a, b) in enumerate(zip(mine, other, strict=True)):
        if a is None or b is None:
            rest = np.zeros(1) if a is None and b is None else theirs(b) if a is None else host(a)
            assert not rest.any(), f"{what} {i}: only one library has a gradient"
        else:
            assert_like(a, b, f"{what} {i}", tolerance, floor=1.0)


SECOND_ORDER_DIFFERS = {
    "pow-3-made": "torch loses d/dy of y x^(y - 1) at y = 0, which is 1/x; tests/ops/test_table.py "
    "holds ours to central differences",
}


@pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", torch_cases(), ids=lambda c: c.id)
def test_values_and_derivatives(case: Case, dtype: str) -> None:
    function = namesake(torch, case.row)
    assert function is not None
    call = case.draw(np.dtype(dtype))
    mine, other = call.tensors("cpu"), tensors(torch, call)
    y, t = call.on(mine), call_torch(torch, function, call, other)
    assert len(y) == len(t)
    for a, b in zip(y, t, strict=True):
        assert_like(a, b, "value", TOLERANCE[dtype])
    x, s = ([v[i] for i in compared(call)] for v in (mine, other))
    if not x:
        return
    g = cotangents(y)
    tolerance = LOOSE.get(case.row.name, (10 * TOLERANCE[dtype], ""))[0]
    once, again = pull(y, x, g, create_graph=True), torch_grads(t, s, g, create_graph=True)
    if again is None:
        return
    assert_gradients_like(once, again, "gradient", max(tolerance, 10 * TOLERANCE[dtype]))
    kept = [(a, b) for a, b in zip(once, again, strict=True) if a is not None and b is not None]
    if case.row.facts.order < 2 or dtype != "float64":  # type: ignore[union-attr]
        return
    if case.sample.slopes is not None:  # at a kink only the first derivative has a convention
        return
    if case.id in SECOND_ORDER_DIFFERS:
        return
    h = cotangents([a for a, _ in kept], seed=1)
    twice = torch_grads([b for _, b in kept], s, h)
    if twice is not None:
        found = pull([a for a, _ in kept], x, h)
        assert_gradients_like(found, twice, "second derivative", max(tolerance, 1e-9))


# ---- other dtypes -------------------------------------------------------------------------------


def drawn_as(case: Case, dtypes: list[str]) -> list[Any]:
    """Return a case's operands with the floating ones in other dtypes."""
    call = case.draw()
    values, kinds = list(call.values), iter(dtypes)
    for i in call.floating:
        dtype = np.dtype(next(kinds))
        x = np.asarray(values[i])
        if dtype.kind in "iu":
            x = np.round(np.nan_to_num(np.abs(x) if dtype.kind == "u" else x, posinf=9, neginf=-9))
        values[i] = np.asarray((x > 0) if dtype.kind == "b" else x.astype(dtype))
    return values


# Ops that answer other dtypes in another way than torch, on purpose
DTYPES_DIFFER = {
    "addcmul": "a value of -0.5 for ints is refused; torch cuts it to 0 without a word",
    "alpha_dropout": "ints are no signal to drop from; torch lets them pass where p is 1",
    "dropout": "ints are no signal to drop from; torch lets them pass where p is 1",
    "dropout1d": "as dropout",
    "dropout2d": "as dropout",
    "batch_norm": "ints are refused; torch normalises them with running statistics",
    "cross_entropy": "the loss has the dtype of the logits, whatever the targets have",
    "hinge_embedding_loss": "ints become float32, as in every loss; torch keeps them",
    "margin_ranking_loss": "as hinge_embedding_loss",
    "cosine_similarity": "ints become float32; torch keeps them",
    "cosine_embedding_loss": "as cosine_similarity",
    "huber_loss": "the operands are promoted as everywhere; torch takes the first one's dtype",
    "index_add": "a float alpha makes ints floats; torch cuts it",
    "interpolate": "ints are refused where neighbours are averaged; torch rounds uint8 twice",
    "masked_fill": "a float value makes ints floats; torch cuts it",
    "pow": "an int to a negative power is refused; torch gives 0",
    "scatter": "a float value makes ints floats; torch cuts it",
    "topk": "of equal elements either may come first",
}
MIXED = [
    ["int64"] * 4, ["bool"] * 4, ["uint8"] * 4, ["int32"] * 4, ["float16"] * 4,
    ["float32", "float64", "float32", "float32"], ["int64", "float32", "float32", "float32"],
    ["bool", "int64", "int64", "int64"], ["float64", "int32", "bool", "bool"],
    ["float16", "float32", "float32", "float32"], ["uint8", "int8", "int8", "int8"],
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("dtypes", MIXED, ids=lambda d: "-".join(d[:2]))
@pytest.mark.parametrize("name", [r.name for r in torch_rows() if r.name not in DTYPES_DIFFER])
def test_other_dtypes(name: str, dtypes: list[str]) -> None:
    """Where torch takes operands of these dtypes, the result is torch's, dtype included."""
    row = TABLE[name]
    function: Callable[..., Any] | None = namesake(torch, row)
    assert function is not None
    for case in cases([row]):
        call = case.draw()
        if case.id in REFUSED or len(call.floating) < len(set(dtypes)):
            continue
        if any(call.values[i].size == 0 for i in call.floating):
            continue  # torch's ops often do not look at the dtype of nothing
        values = drawn_as(case, dtypes * len(call.values))
        try:
            t = call_torch(torch, function, call, tensors(torch, call, values))
        except (RuntimeError, TypeError, IndexError, ValueError):
            continue  # what both must refuse is in test_refusals.py
        with np.errstate(all="ignore"):
            y = call.on(call.tensors("cpu", values))
        for a, b in zip(y, t, strict=True):
            coarsest = max(TOLERANCE.get(d, 0.0) for d in (*dtypes, "float32"))
            assert_like(a, b, f"{case.id} on {dtypes[: len(call.floating)]}", coarsest)
