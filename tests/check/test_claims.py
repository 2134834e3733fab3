"""A printed decimal holds within half a unit of its last digit, and not beyond."""

from __future__ import annotations

import math

import pytest

from minigrad.check.claims import Claim, half_unit


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
        ("0.1", math.nan, False),
        ("0.1", math.inf, False),
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
