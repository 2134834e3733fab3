"""What a wrong Jacobian looks like is said in words, and only where it explains all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mutation.mutant import planted

import minigrad as mg
from minigrad.check import gradcheck
from minigrad.engine.op import TABLE

Rule = Callable[..., Any]


def t(*shape: int, seed: int = 0) -> mg.Tensor:
    return mg.tensor(np.random.default_rng(seed).standard_normal(shape))


def said(op: str, inputs: list[mg.Tensor], **rules: Rule) -> str:
    """Check an op with wrong rules, and return what the report notes."""
    assert gradcheck(TABLE[op].function, inputs).notes == ()
    with planted(TABLE[op], **rules):
        report = gradcheck(TABLE[op].function, inputs)
    assert report.verdict == "failed", report
    return " ".join(report.notes)


def largest_alone(g: Any) -> Any:
    return -g * (abs(g) == abs(g).max())


ONE_INPUT: dict[str, tuple[tuple[int, ...], Rule, str]] = {
    "sign": ((2, 3), lambda g: g, "by input 0, backward has the wrong sign throughout"),
    "zero": ((2, 3), lambda g: g * 0.0, "backward gives 0 throughout: no gradient arrives"),
    "twice": ((3, 3), lambda g: -2.0 * g, "2 times too large throughout: it looks like something"),
    "twice of two": ((2, 3), lambda g: -2.0 * g, "division by n = 2, the length of axis 0 of"),
    "half": ((3, 3), lambda g: -0.5 * g, "backward is 2 times too small throughout"),
    "elements": ((2, 3), lambda g: -6.0 * g, "division by n = 6, the elements of input 0"),
    "divided": ((2, 3), lambda g: -g / 3, "divided by n = 3, the length of axis 1 of input 0"),
    "constant": ((2, 3), lambda g: -3.7 * g, "3.7 times the numeric derivative throughout"),
    "transposed": ((3, 3), lambda g: -g.T, "the right gradient transposed"),
    "reshaped": ((2, 3), lambda g: -g.T.reshape(2, 3), "the right gradient transposed"),
    "permuted": ((2, 2, 2), lambda g: -g.transpose(1, 2, 0), "permuted to axes ("),
    "reversed": ((3, 2), lambda g: -g[::-1], "reversed along axis 0"),
    "summed": ((3, 2), lambda g: -g.sum(0, keepdims=True) + 0 * g, "summed over axis 0"),
    "averaged": ((3, 2), lambda g: -g.mean(1, keepdims=True) + 0 * g, "averaged over axis 1"),
    "lost": ((4,), lambda g: -g * (np.arange(4) != 1), "1 of 4 derivatives are 0 that should not"),
    "no g": ((4,), lambda g: g * 0 - 1.0, "a rule ignores the gradient g that comes in"),
    "not linear": ((4,), largest_alone, "a rule is not linear in the gradient g"),
}


@pytest.mark.parametrize("name", ONE_INPUT)
def test_pattern_of_one_input(name: str) -> None:
    shape, rule, text = ONE_INPUT[name]
    assert text in said("neg", [t(*shape)], x=rule)


def test_missing_sum_over_a_broadcast_axis() -> None:
    inputs = [t(3, 4), t(4)]
    text = said("add", inputs, b=lambda g: g[0])
    assert "by input 1, only index 0 of axis 0 of the output reaches it" in text
    assert "a missing sum over a broadcast axis (8 of 12 derivatives are 0)" in text
    text = said("add", inputs, b=lambda g: g.mean(0))
    assert "3 times too small throughout: it looks like divided by n = 3, the length of" in text


def test_swapped_operands() -> None:
    inputs = [t(3), t(3, seed=1)]
    text = said("mul", inputs, a=lambda g, a: g * a, b=lambda g, b: g * b)
    assert text in (
        "input 0 has the gradient of input 1: swapped operands",
        "input 1 has the gradient of input 0: swapped operands",
    )


def test_only_the_wrong_input_is_named() -> None:
    text = said("mul", [t(3), t(3, seed=1)], b=lambda g, a: -g * a)
    assert text == "by input 1, backward has the wrong sign throughout"


@pytest.mark.parametrize(
    "rule",
    [lambda g, y: g, lambda g, y: g * (1 + y * y), lambda g, y: abs(g) * (1 - y * y)],
    ids=["no derivative", "sign of a term", "abs of g"],
)
def test_nothing_is_said_where_nothing_fits(rule: Rule) -> None:
    assert said("tanh", [t(4)], x=rule) == ""


def test_one_number_that_is_no_known_factor_is_no_pattern() -> None:
    assert said("neg", [t(1)], x=lambda g: -3.7 * g) == ""
    assert "2 times too large" in said("neg", [t(1)], x=lambda g: -2.0 * g)


def test_pattern_in_one_row_alone_is_no_pattern() -> None:
    """One output of three is wrong by a factor 2: no factor fits the whole Jacobian."""
    assert said("neg", [t(3)], x=lambda g: -g * np.array([1.0, 2.0, 1.0])) == ""


def test_pattern_by_one_cotangent() -> None:
    x, v = t(2, 3), np.arange(6.0).reshape(2, 3) + 1
    with planted(TABLE["neg"], x=lambda g: g):
        report = gradcheck(mg.neg, x, cotangent=v)
    assert report.compared == 6
    assert report.worst.what.startswith("d (v . outputs) / d input 0[")
    assert report.notes == ("by input 0, backward has the wrong sign throughout",)
