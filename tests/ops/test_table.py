"""Every row of the op table, on every sample of its facts, on every backend: see support/checks.

A row added to the table is tested here with no test written; a row without facts fails.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.cases import Case, cases
from support.checks import CHECKS, check_facts, check_half, cotangents, host, pull

from minigrad.engine.op import TABLE, Op

CASES = cases(TABLE.values())


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_row_has_facts(row: Op) -> None:
    check_facts(row)


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_row_is_not_vacuous(row: Op, backend: str) -> None:
    """Each floating operand is seen to matter: on some sample its gradient is not 0."""
    seen, moved = set(), set()
    for case in cases([row]):
        call = case.draw()
        tensors = call.tensors(backend)
        outputs = [y for y in call.on(tensors) if y.is_floating_point()]
        grads = pull(outputs, [tensors[i] for i in call.floating], cotangents(outputs))
        for i, g in zip(call.floating, grads, strict=True):
            seen.add(call.name_of(i))
            if g is not None and host(g).any():
                moved.add(call.name_of(i))
    if row.facts is not None and row.facts.order:
        assert seen, "no sample has a floating operand, so no derivative was looked at"
        assert seen == moved, f"no sample has a gradient for {sorted(seen - moved)}"


@pytest.mark.parametrize(
    "check", [c for c in CHECKS if c is not check_half], ids=lambda c: c.__name__[6:]
)
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_op(case: Case, check: Callable[[Case, str], None], backend: str) -> None:
    check(case, backend)
