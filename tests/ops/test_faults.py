"""The tests of the table can fail: wrong rules are planted, and each must be caught."""

from __future__ import annotations

import numpy as np
import pytest
from mutation.mutant import caught_by, judge, planted
from mutation.run import all_mutants, complaints, reasons, run, sample
from support.cases import Case, cases
from support.checks import check_facts, check_isolation

import minigrad as mg
from minigrad.backend import Array, Backend
from minigrad.check import gradcheck
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import TABLE, op

PARTS = 16


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_sampled_mutants_are_killed(part: int) -> None:
    """A sample of what ``python -m tests.mutation`` does, spread over all rules and kinds."""
    assert not complaints(run(sample()[part::PARTS]), whole=False)


@pytest.mark.slow
def test_reasoned_list_names_mutants_that_exist() -> None:
    """Whether they do survive, only the whole run says."""
    assert not set(reasons()) - {m.id for m in all_mutants()}
    assert all(len(reason.split()) >= 4 for reason in reasons().values())


def test_mutants_are_many_and_of_every_kind() -> None:
    mutants = all_mutants()
    assert len({m.id for m in mutants}) == len(mutants) >= 3000
    kinds = {
        "sign", "factor", "swapped", "dropped term", "transposed", "zero", "unbroadcast", "axis",
        "off by one", "constant", "division",
    }  # fmt: skip
    assert kinds <= {m.kind for m in sample()}
    rules = {f"{row.name}.{n}" for row in TABLE.values() for n in row.rules}
    assert rules <= {m.place for m in sample()}


def test_mutants_are_taken_away() -> None:
    before = {f: f.__code__ for row in TABLE.values() for f in row.rules.values()}
    for m in sample()[::97]:
        judge(m)
    assert before == {f: f.__code__ for row in TABLE.values() for f in row.rules.values()}


def test_planted_faults_are_taken_away() -> None:
    row = TABLE["tanh"]
    with planted(row, x=lambda g: g * 0.0):
        assert caught_by(cases([row]))
    assert caught_by(cases([row])) is None


# ---- the four that the checkers of known engines let pass ---------------------------------------

# op, the row whose rule is broken (batch_norm is made of rows), the fault, the call
SUM_HIDES = {
    "softmax": ("softmax", lambda g: g * 0.0, S((3, 4), dim=1)),
    "batch_norm": (  # the variance's share is forgotten
        "channel_moments",
        lambda g, x: x * 0.0 + g[0] / len(x),
        S((5, 3), None, None, training=True),
    ),
    "permute": (
        "permute",
        lambda g, dims: TABLE["permute"].function(g, dims),
        S((3, 3, 3), dims=(1, 2, 0)),
    ),
    "reshape": ("reshape", lambda g, x_shape: g[::-1].reshape(x_shape), S((4, 3), shape=(4, 3))),
}


@pytest.mark.parametrize("name", SUM_HIDES)
def test_faults_that_a_cotangent_of_ones_hides(name: str) -> None:
    culprit, rule, sample = SUM_HIDES[name]
    case = Case(TABLE[name], sample)
    call = case.draw()
    (x, *others) = call.tensors("cpu")

    def fn(x: mg.Tensor) -> mg.Tensor:
        return call.on([x, *others])[0]  # type: ignore[no-any-return]

    ones = np.ones(fn(x).shape)
    assert caught_by([case]) is None
    with planted(TABLE[culprit], x=rule):
        assert gradcheck(fn, x, cotangent=ones).verdict != "failed"  # as the known checkers say
        assert gradcheck(fn, x).verdict == "failed"
        assert caught_by([case])
        assert caught_by(cases([TABLE[name]]))
    assert gradcheck(fn, x)


# ---- rows that are added -------------------------------------------------------------------------


def test_new_row_is_tested_with_no_test_written() -> None:
    facts = Facts(lambda x: x**3, [S((2, 3)), S(())], analytic=True)
    try:

        @op(x=lambda g, x: g * x * x * 3.0, facts=facts)
        def cube_of_tests(xp: Backend, x: Array) -> Array:
            return x * x * x

        row = TABLE["cube_of_tests"]
        assert len(cases([row])) == 2
        assert caught_by(cases([row])) is None
        with planted(row, x=lambda g, x: g * x * x):
            assert "check_derivative" in str(caught_by(cases([row])))
        with planted(row, x=lambda g, x: g * np.asarray(getattr(x, "_array", x)) ** 2 * 3.0):
            assert "check_second_derivative" in str(caught_by(cases([row])))
        row.forward = lambda xp, x: x * x * x + 1e-3
        assert "check_value" in str(caught_by(cases([row])))
        row.forward = lambda xp, x: (x * x * x).astype("float64")
        assert "float32 in gave float64 out" in str(caught_by(cases([row])))

        def spoil(xp: Backend, x: Array) -> Array:
            y = x * x * x
            x *= 1.0 + 1e-12
            return y

        row.forward = spoil
        with pytest.raises(AssertionError, match="an operand after backward"):
            check_isolation(cases([row])[0], "cpu")
        row.forward = lambda xp, x: x
        row.facts = Facts(lambda x: x, [S((2, 3))])
        with planted(row, x=lambda g: g):
            assert "shares memory with an operand" in str(caught_by(cases([row])))
    finally:
        del TABLE["cube_of_tests"]


def test_row_without_facts_fails() -> None:
    try:

        @op(x=lambda g: g)
        def bare_of_tests(xp: Backend, x: Array) -> Array:
            return x + 0.0

        with pytest.raises(AssertionError, match="bare_of_tests has no facts"):
            check_facts(TABLE["bare_of_tests"])
    finally:
        del TABLE["bare_of_tests"]
