"""Elementwise rows on shapes and values that hypothesis draws: broadcast, 0-d, empty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays, mutually_broadcastable_shapes
from support.cases import Call, fill, is_elementwise
from support.checks import close, cotangents, derivative, expect, host, pull

from minigrad.check import gradcheck
from minigrad.engine.op import TABLE, Op

ROWS = [row for row in TABLE.values() if is_elementwise(row)]
STEPS = 64


@st.composite
def calls(draw: st.DrawFn, row: Op, dtype: np.dtype) -> Call:
    """Draw operands that broadcast, and the options of one of the row's samples.

    Values lie on a grid in the domain, shifted from operand to operand, so that no two are equal
    (a tie of maximum) and no quotient is whole (a jump of fmod).
    """
    samples = [s for s in row.facts.samples if all(isinstance(x, tuple) for x in s.operands)]
    sample = draw(st.sampled_from(samples))
    count = len(sample.operands)
    shapes = draw(
        mutually_broadcastable_shapes(num_shapes=count, max_dims=3, max_side=3, min_side=0)
    )
    values = []
    for i, shape in enumerate(shapes.input_shapes):
        steps = draw(arrays(np.int64, shape, elements=st.integers(1, STEPS - 2)))
        values.append(fill(row, i, (steps + 0.31 * i) / STEPS).astype(dtype))
    return Call(row, values, dict(sample.options))


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
@given(data=st.data())
def test_value_and_gradient(row: Op, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from([np.dtype("f8"), np.dtype("f4")]))
    call = data.draw(calls(row, dtype))
    tensors = call.tensors("cpu")
    outputs = call.on(tensors)
    expect(outputs, call, dtype)
    if row.facts.order == 0:
        return
    for x, g in zip(tensors, pull(outputs, tensors, cotangents(outputs)), strict=True):
        if g is not None:
            assert g.shape == x.shape
            assert g.dtype == x.dtype
    if dtype == np.float64:
        report = derivative(call, "cpu", gradcheck)
        assert report.verdict in ("passed", "vacuous"), f"\n{report}"
    if len(tensors) == 2 and tensors[0].shape != tensors[1].shape:  # broadcast by hand
        whole = np.broadcast_arrays(*call.values)
        stretched = Call(row, [x.copy() for x in whole], call.options)
        close(stretched.on(stretched.tensors("cpu"))[0], host(outputs[0]), 1e-6)


@settings(max_examples=1)
@given(st.data())
def test_rows_are_found(data: st.DataObject) -> None:
    assert len(ROWS) >= 40
