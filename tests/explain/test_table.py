"""Every row of the op table can be walked, and a walk's gradients are those of backward."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.cases import Case

from minigrad.backend import manual_seed
from minigrad.engine.op import TABLE, Op
from minigrad.engine.tensor import Tensor
from minigrad.explain import walk, watching
from minigrad.explain.formulas import LATEX, MEANING, PLAIN
from minigrad.explain.reverse import is_elementwise

ROWS = [op for op in TABLE.values() if op.facts is not None and op.facts.samples]


def result_of(op: Op) -> tuple[list[Tensor], Tensor]:
    """Return the operands of the op's first sample, and the (first floating) result."""
    manual_seed(0)
    call = Case(op, op.facts.samples[0]).draw()
    tensors = call.tensors("cpu")
    with watching():
        results = call.on(tensors)
    floating = [y for y in results if isinstance(y, Tensor) and y.is_floating_point()]
    leaves = [x for x in tensors if isinstance(x, Tensor) and x.requires_grad]
    first = floating or [y for y in results if isinstance(y, Tensor)]
    return leaves, first[0]


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_every_row_can_be_walked(op: Op) -> None:
    leaves, y = result_of(op)
    gradient = None
    if y.requires_grad:
        gradient = np.asarray(np.random.default_rng(1).standard_normal(y.shape))
    found = walk(y, gradient=gradient)
    assert found.rows[-1].shape == y.shape
    np.testing.assert_array_equal(found.rows[-1].value, y.detach().numpy())
    text = found.text()
    assert text.isascii()
    for row in found.computed:
        assert row.formula
        assert row.latex
        assert f" = {row.call_text}" in text
    if gradient is None:
        assert found.seed is None
        return
    y.backward(gradient)
    rows = {id(e.node): row for e, row in zip(found.graph.entries, found.rows, strict=True)}
    for x in leaves:
        if x.grad is None:
            assert id(x._node) not in rows or rows[id(x._node)].gradient is None
            continue
        row = rows[id(x._node)]
        np.testing.assert_allclose(row.gradient, x.grad.numpy(), rtol=1e-13, atol=1e-15)
        if y is x:  # dropout that drops nothing returns its operand
            continue
        total = sum(c.value for c in row.contributions)
        np.testing.assert_allclose(total, x.grad.numpy(), rtol=1e-13, atol=1e-15)
    if math.prod(y.shape) and op.facts.order > 0:
        assert all(row.agrees for row in found.rows)


def test_elementwise_means_that_the_local_derivative_times_g_is_the_contribution() -> None:
    seen = 0
    for op in ROWS:
        if not (op.primitive and op.rules and is_elementwise(op)):
            continue
        _, y = result_of(op)
        if not y.requires_grad:
            continue
        gradient = np.asarray(np.random.default_rng(2).standard_normal(y.shape))
        for row in walk(y, gradient=gradient, differences=False).rows:
            for c in row.contributions:
                if c.elementwise:
                    seen += 1
                    np.testing.assert_allclose(c.local * c.incoming, c.raw, rtol=1e-12, atol=1e-14)
    assert seen > 60


def test_a_matrix_of_local_derivatives_times_g_is_the_contribution() -> None:
    x = Tensor([[0.5, -1.0], [2.0, 0.3]], dtype=np.float64, requires_grad=True)
    with watching():
        y = TABLE["softmax"].function(x, dim=1)
    gradient = np.array([[0.3, -1.2], [0.7, 2.0]])
    (c,) = walk(y, gradient=gradient)["x"].contributions
    assert not c.elementwise
    assert c.local.shape == (4, 4)
    np.testing.assert_allclose(gradient.reshape(-1) @ c.local, c.value.reshape(-1), rtol=1e-14)


def test_formulas_are_of_ops_that_exist() -> None:
    assert set(LATEX) | set(PLAIN) <= set(TABLE)
    assert all(operand in TABLE[op].rules for op, operand in MEANING)


def test_formulas_in_plain_text_are_not_said_twice() -> None:
    assert [n for n in PLAIN if TABLE[n].facts and TABLE[n].facts.formula] == []
