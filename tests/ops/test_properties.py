"""Every row with derivatives, on calls that hypothesis draws from the row's facts.

Drawn are: which sample (and so its options: axes, keepdim, modes); other lengths of its axes, 0
and 1 among them, where the op takes them, and for elementwise rows any shapes that broadcast;
values of the domain, away from kinks and without ties; the layout in memory; the dtype. A row added
to the table is tested here with no test written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from support.cases import Call, draw_operand, fill, is_elementwise
from support.checks import (
    LAYOUTS,
    cotangents,
    derivative,
    expect,
    host,
    isolated,
    pull,
    stretched,
)

from minigrad.check import gradcheck
from minigrad.engine.facts import Sample
from minigrad.engine.op import TABLE, Op
from minigrad.engine.tensor import wrap

ROWS = [row for row in TABLE.values() if row.facts is not None and row.facts.order]
REORDERED = [layout for layout in LAYOUTS if layout is not stretched]
EXAMPLES = max(3, settings().max_examples // 3)
SLACK = 100.0  # the tolerances are those of the samples' own values


@dataclass
class Laid(Call):
    """A call whose floating operands lie in memory in a drawn way."""

    layouts: dict[int, Callable[[Any], Any]] = field(default_factory=dict)

    def tensors(self, device: str, values: Any = None) -> list[Any]:
        """Return the operands as tensors, floating ones in their layouts."""
        made = super().tensors(device, values)
        for i, layout in self.layouts.items():
            if made[i].ndim and made[i].numel():
                made[i] = wrap(layout(made[i]._array), None).requires_grad_()
        return made


@st.composite
def calls(draw: st.DrawFn, row: Op, dtype: np.dtype[Any]) -> Laid:
    """Draw a call of a row."""
    assert row.facts is not None
    sample = draw(st.sampled_from([s for s in row.facts.samples if s.slopes is None]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if is_elementwise(row) and all(isinstance(x, tuple) for x in sample.operands):
        call = elementwise(draw, row, sample, rng)
    else:
        call = filled(row, relengthened(draw, row, sample), rng)
        if not accepted(call):
            call = filled(row, sample, rng)
    call.values = [x.astype(dtype) if i in call.floating else x for i, x in enumerate(call.values)]
    places = call.floating
    layouts = {i: draw(st.sampled_from([None, *REORDERED])) for i in places}
    laid = Laid(row, call.values, call.options, call.listed)
    laid.layouts = {i: layout for i, layout in layouts.items() if layout is not None}
    if not accepted(laid):  # view refuses what does not lie in order
        laid.layouts = {}
    return laid


def elementwise(draw: st.DrawFn, row: Op, sample: Sample, rng: np.random.Generator) -> Call:
    """Draw operands that broadcast; their values never tie, nor does one divide another."""
    count = len(sample.operands)
    shapes = draw(
        mutually_broadcastable_shapes(num_shapes=count, max_dims=3, max_side=3, min_side=0)
    )
    values = []
    for i, shape in enumerate(shapes.input_shapes):
        steps = rng.integers(1, 63, shape) + 0.31 * i
        values.append(fill(row, i, steps / 64))
    return Call(row, values, dict(sample.options))


def relengthened(draw: st.DrawFn, row: Op, sample: Sample) -> Sample:
    """Return a sample whose axes have other lengths; equal ones stay equal, and so does 0."""
    if not all(is_plain(x) for x in sample.options.values()):  # made for these lengths
        return sample
    # Steps of other ops, which check for them; the sizes of the two are options that go together.
    if row.name.startswith("_") or row.name in ("conv2d_input", "conv2d_weight"):
        return sample
    found = {n for x in flat(sample.operands) if isinstance(x, tuple) for n in x}
    lengths = {n: n and draw(st.sampled_from([n, n, 1, 2, 3, 5, 0])) for n in sorted(found)}

    def renamed(x: Any) -> Any:
        if isinstance(x, list):
            return [renamed(y) for y in x]
        return tuple(lengths[n] for n in x) if isinstance(x, tuple) else x

    return Sample(tuple(renamed(x) for x in sample.operands), sample.options)


def is_plain(option: Any) -> bool:
    """Say whether an option is a number, a word, or a list of these."""
    if isinstance(option, (list, tuple)):
        return type(option) in (list, tuple) and all(map(is_plain, option))
    return option is None or isinstance(option, (bool, int, float, str))


def flat(operands: Any) -> list[Any]:
    """Return operands, those in lists as well."""
    return [y for x in operands for y in (x if isinstance(x, list) else [x])]


def filled(row: Op, sample: Sample, rng: np.random.Generator) -> Call:
    """Return a sample's call with drawn values."""
    listed = any(isinstance(x, list) for x in sample.operands)
    values = [
        draw_operand(row, 0 if listed else i, x, rng) for i, x in enumerate(flat(sample.operands))
    ]
    return Call(row, values, dict(sample.options), listed)


def accepted(call: Call) -> bool:
    """Say whether the op takes a call, with finite results, and its reference as well.

    What must be refused, and how, is tested elsewhere; here only that what is taken is right.
    """
    try:
        outputs = call.on(call.tensors("cpu"))
        wanted = call.reference()
    except (ValueError, IndexError, TypeError, ArithmeticError, Warning):
        return False
    same = all(y.shape == r.shape for y, r in zip(outputs, wanted, strict=True))
    return same and all(np.isfinite(host(y)).all() for y in (*outputs, *wanted))


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_drawn_calls(row: Op, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from([np.dtype("f8"), np.dtype("f8"), np.dtype("f4")]))
    call = data.draw(calls(row, dtype))
    tensors = call.tensors("cpu")
    outputs = call.on(tensors)
    expect(outputs, call, dtype, SLACK)
    inputs = [tensors[i] for i in call.floating]
    for x, g in zip(inputs, pull(outputs, inputs, cotangents(outputs)), strict=True):
        if g is not None:
            assert (g.shape, g.dtype) == (x.shape, x.dtype)
    if dtype == np.float64 and inputs:
        if any(y.is_floating_point() for y in outputs):
            report = derivative(call, "cpu", gradcheck)
            assert report.verdict != "failed", f"\n{report}"
        isolated(call, "cpu")


def test_every_row_with_derivatives_is_drawn() -> None:
    assert {r.name for r in ROWS} >= {name for name, row in TABLE.items() if row.rules} - {
        name for name, row in TABLE.items() if row.facts is not None and not row.facts.order
    }


def test_drawn_lengths_and_layouts_are_taken() -> None:
    """Most rows take other lengths: the draws do not all fall back on the samples."""
    rng = np.random.default_rng(0)
    taken = 0
    for row in ROWS:
        assert row.facts is not None
        samples = [s for s in row.facts.samples if s.slopes is None]
        other = [
            Sample(
                tuple(
                    tuple(n + 1 if n > 1 else n for n in x) if isinstance(x, tuple) else x
                    for x in s.operands
                ),
                s.options,
            )
            for s in samples
        ]
        taken += any(accepted(filled(row, s, rng)) for s in other)
    assert taken > 0.7 * len(ROWS)
