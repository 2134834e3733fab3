"""Every row of the op table, on every sample of its facts, on every backend: see support/checks.

A row added to the table is tested here with no test written; a row without facts fails.
"""

from __future__ import annotations

from typing import Any

import pytest
from support.backends import wanted
from support.cases import Case, cases
from support.checks import (
    CHECKS,
    DEVICE_CHECKS,
    Check,
    applies,
    check_facts,
    cotangents,
    host,
    pull,
)

from minigrad.engine.op import TABLE, Op

CASES = cases(TABLE.values())


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_row_has_facts(row: Op) -> None:
    check_facts(row)


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_row_is_not_vacuous(row: Op) -> None:
    """Each floating operand is seen to matter: on some sample its gradient is not 0."""
    seen, moved = set(), set()
    for case in cases([row]):
        call = case.draw()
        tensors = call.tensors("cpu")
        outputs = [y for y in call.on(tensors) if y.is_floating_point()]
        grads = pull(outputs, [tensors[i] for i in call.floating], cotangents(outputs))
        for i, g in zip(call.floating, grads, strict=True):
            seen.add(call.name_of(i))
            if g is not None and host(g).any():
                moved.add(call.name_of(i))
    if row.facts is not None and row.facts.order:
        assert seen, "no sample has a floating operand, so no derivative was looked at"
        assert seen == moved, f"no sample has a gradient for {sorted(seen - moved)}"


QUICK = ("check_value", "check_derivative", "check_isolation")  # the others are marked slow


def pairs(checks: tuple[Check, ...]) -> list[Any]:
    """Return each case with each check that applies to it."""
    return [
        pytest.param(case, check, marks=() if check.__name__ in QUICK else pytest.mark.slow)
        for case in CASES
        for check in checks
        if applies(check, case)
    ]


def ident(x: Case | Check) -> str:
    return x.id if isinstance(x, Case) else x.__name__.removeprefix("check_")


@pytest.mark.parametrize(("case", "check"), pairs(CHECKS), ids=ident)
def test_op(case: Case, check: Check) -> None:
    check(case, "cpu")


if wanted() != ["numpy"]:  # what can differ from library to library, and not the mathematics again

    @pytest.mark.parametrize(("case", "check"), pairs(DEVICE_CHECKS), ids=ident)
    def test_op_on_each_backend(case: Case, check: Check, backend: str) -> None:
        check(case, backend)
