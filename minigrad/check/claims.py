"""Claims: a number that a document prints, recomputed and judged at the precision it is printed.

A printed decimal stands for every number that rounds to it, so it holds if the computed value
lies within half a unit of its last digit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation


def half_unit(printed: str) -> float:
    """Return half a unit of the last digit that is printed.

    Examples
    --------
    >>> from minigrad.check.claims import half_unit
    >>> half_unit("0.55"), half_unit("12"), half_unit("1.0e-3")
    (0.005, 0.5, 5e-05)
    """
    message = f"a printed number is expected, such as '0.55', not {printed!r}"
    try:
        exponent = Decimal(printed).as_tuple().exponent
    except InvalidOperation:
        raise ValueError(message) from None
    if not isinstance(exponent, int):  # infinity, NaN
        raise ValueError(message)
    return float(Decimal(5).scaleb(exponent - 1))


@dataclass(frozen=True)
class Claim:
    """A printed number beside the computed one.

    Parameters
    ----------
    where : str
        Document and section, as ``"D0 4.3"``.
    what : str
        What the number is said to be.
    printed : str
        The digits as printed.
    computed : float
        The value that the document's own expression has.
    note : str
        The reason, where the claim fails.
    """

    where: str
    what: str
    printed: str
    computed: float
    note: str = ""

    @property
    def error(self) -> float:
        """The distance of the printed number from the computed one."""
        return abs(float(self.printed) - self.computed)

    @property
    def holds(self) -> bool:
        """Whether the computed value rounds to what is printed (half a unit of its last digit)."""
        half = half_unit(self.printed)
        # one part in 1e12 more, so that a tie in decimals is not lost to binary rounding
        return math.isfinite(self.computed) and self.error <= half * (1 + 1e-12) + 1e-15

    @property
    def verdict(self) -> str:
        """``"holds"`` or ``"fails"``."""
        return "holds" if self.holds else "fails"

    def __str__(self) -> str:
        numbers = f"printed {self.printed:>9}  computed {self.computed:<12.7g}"
        reason = f": {self.note}" if self.note else ""
        return f"{self.what:34} {numbers} {self.verdict}{reason}"
