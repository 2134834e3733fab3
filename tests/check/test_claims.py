"""A printed decimal holds within half a unit of its last digit; a formula, where it agrees."""

from __future__ import annotations

import math

import numpy as np
import pytest

from minigrad.check.claims import Claim, half_unit, judge_formula, tally


@pytest.mark.parametrize(
    ("printed", "half"),
    [("0.55", 0.005), ("0.550", 0.0005), ("12", 0.5), ("-3.1", 0.05), ("1e3", 500.0)],
)
def test_half_unit(printed: str, half: float) -> None:
    assert half_unit(printed) == pytest.approx(half, rel=1e-15)


@pytest.mark.parametrize("printed", ["", "0,55", "inf", "nan", "about 1"])
def test_what_is_no_printed_number_is_refused(printed: str) -> None:
    with pytest.raises(ValueError, match="a printed number is expected"):
        half_unit(printed)


@pytest.mark.parametrize(
    ("printed", "computed", "holds"),
    [
        ("0.55", 0.5498339973, True),
        ("0.55", 0.545, True),  # a tie may have been rounded up
        ("0.55", 0.5449999, False),
        ("0.55", 0.5550001, False),
        ("0.550", 0.5498339973, True),
        ("0.5500", 0.5498339973, False),
        ("-0.2", -0.24, True),
        ("-0.2", 0.2, False),
        ("0.3", 0.1 + 0.2, True),
    ],
)
def test_verdict(printed: str, computed: float, holds: bool) -> None:
    claim = Claim("D0 4.3", "a number", printed, computed, "the reason")
    assert claim.holds is holds
    assert claim.verdict == ("holds" if holds else "fails")
    assert claim.error == abs(float(printed) - computed) or math.isnan(computed)
    line = str(claim)
    assert printed in line
    assert line.endswith(": the reason")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_has_no_value_cannot_be_computed(value: float) -> None:
    claim = Claim("D0 4.3", "a number", "0.1", value, "the shapes do not fit")
    assert not claim.holds
    assert claim.verdict == "cannot be computed"
    assert "computed -  " in str(claim)


@pytest.mark.parametrize(
    ("printed", "computed", "rounded", "verdict"),
    [
        ("0.66", 2 / 3, 2 * 0.33, "holds as rounded"),
        ("0.67", 2 / 3, 2 * 0.33, "holds"),
        ("0.68", 2 / 3, 2 * 0.33, "fails"),
        ("0.66", 2 / 3, None, "fails"),
        ("0.66", math.nan, 0.66, "holds as rounded"),
    ],
)
def test_rounded_on_the_way(printed, computed, rounded, verdict: str) -> None:
    claim = Claim("D9", "twice a third", printed, computed, rounded=rounded)
    assert claim.verdict == verdict
    assert ("rounded on the way 0.66" in str(claim)) == (rounded is not None)


RIGHT = np.array([[1.0, -2.0], [0.5, 4.0]])


@pytest.mark.parametrize(
    ("printed", "verdict", "found"),
    [
        (lambda: RIGHT * (1 + 1e-9), "holds", "agrees to 1e-09"),
        (lambda: RIGHT + np.diag([0, 1e-4]), "fails", "off by 0.0025 %"),
        (lambda: -RIGHT, "fails", "off by 200 %"),
        (lambda: 1e6 * RIGHT, "fails", "off by a factor of 1.0e+06"),
        (lambda: RIGHT[0], "fails", "shape 2, not 2x2"),
        (lambda: 1.0, "fails", "shape of one number, not 2x2"),
        (lambda: RIGHT / 2, "convention differs", "right for a half"),
        (lambda: RIGHT @ np.ones(3), "cannot be computed", "ValueError: matmul"),
        (lambda: RIGHT / np.zeros(2), "cannot be computed", "it gives NaN or infinity"),
        (lambda: missing, "cannot be computed", "NameError: name 'missing' is not defined"),  # noqa: F821
    ],
)
def test_verdict_on_a_formula(printed, verdict: str, found: str) -> None:
    claim = judge_formula(
        "D9", "a formula", printed, RIGHT, "why", conventions={"a half": RIGHT / 2}
    )
    assert claim.verdict == verdict
    assert claim.found.startswith(found)
    head, *rest = str(claim).splitlines()
    assert head == "D9 a formula"
    assert all(line.startswith("    ") and len(line) <= 100 for line in rest)
    assert " ".join(map(str.strip, rest)) == f"{verdict}: {claim.found}; why"


def test_a_formula_where_zero_is_right() -> None:
    assert judge_formula("D9", "w", lambda: np.zeros(2), np.zeros(2)).verdict == "holds"
    claim = judge_formula("D9", "w", lambda: np.ones(2), np.zeros(2))
    assert (claim.verdict, claim.found) == ("fails", "gives 1 where the right value is 0")


def test_a_mistake_that_is_not_the_documents_is_not_swallowed() -> None:
    with pytest.raises(KeyError):
        judge_formula("D9", "w", lambda: {}["w"], 1.0)


def test_tally_counts_both_kinds() -> None:
    formula = judge_formula("D9", "w", lambda: RIGHT[0], RIGHT)
    number = Claim("D9", "w", "0.5", 0.5)
    assert tally([formula, number, formula]) == "claims: 1 holds, 2 fails"
    assert tally([]) == "claims: none"
