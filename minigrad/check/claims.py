"""Claims: what a document prints, recomputed and judged.

A printed decimal stands for every number that rounds to it, so it holds if the computed value
lies within half a unit of its last digit. A printed formula is computed as it stands and compared
with what is right: with differences of the function's values, or with an experiment.
"""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

HOLDS, FAILS = "holds", "fails"
HOLDS_ROUNDED = "holds as rounded"  # from the numbers that were rounded on the way, and not exactly
NOT_COMPUTABLE, CONVENTION = "cannot be computed", "convention differs"
VERDICTS = (HOLDS, HOLDS_ROUNDED, FAILS, NOT_COMPUTABLE, CONVENTION)
OWN_EXPRESSION = "the document's own expression, computed"
SIDE_BY_SIDE = "computed as printed, and beside it what is right"
DIFFERENCES = "central differences of the function's values"
EXPERIMENT = "an experiment"
# What may be raised by an expression that cannot be computed; any other error is a mistake of ours.
CANNOT = (ArithmeticError, AttributeError, NameError, TypeError, ValueError)
WIDTH = 100  # of a printed line


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
        The value that the document's own expression has; NaN where it has none.
    note : str
        The reason, where the claim fails.
    rounded : float, optional
        The value that follows if earlier results are rounded as they are printed.
    check : str
        What decides.

    Examples
    --------
    >>> from minigrad.check.claims import Claim
    >>> third = round(1 / 3, 2)
    >>> Claim("D9", "twice a third", "0.66", 2 / 3, rounded=2 * third).verdict
    'holds as rounded'
    """

    where: str
    what: str
    printed: str
    computed: float
    note: str = ""
    rounded: float | None = None
    check: str = OWN_EXPRESSION

    @property
    def error(self) -> float:
        """The distance of the printed number from the computed one."""
        return abs(float(self.printed) - self.computed)

    @property
    def holds(self) -> bool:
        """Whether the computed value rounds to what is printed (half a unit of its last digit)."""
        return _rounds_to(self.printed, self.computed)

    @property
    def verdict(self) -> str:
        """``"holds"``, ``"holds as rounded"``, ``"fails"`` or ``"cannot be computed"``."""
        if self.holds:
            return HOLDS
        if self.rounded is not None and _rounds_to(self.printed, self.rounded):
            return HOLDS_ROUNDED
        return FAILS if math.isfinite(self.computed) else NOT_COMPUTABLE

    def __str__(self) -> str:
        value = f"{self.computed:<12.7g}" if math.isfinite(self.computed) else f"{'-':12}"
        numbers = f"printed {self.printed:>9}  computed {value}"
        if self.rounded is not None:
            numbers += f" rounded on the way {self.rounded:<12.7g}"
        line = f"{self.what:34} {numbers} {self.verdict}"
        if not self.note:
            return line
        whole = f"{line}: {self.note}"
        return whole if len(whole) <= WIDTH else f"{line}\n{_indented(self.note)}"


def _rounds_to(printed: str, value: float) -> bool:
    # one part in 1e12 more, so that a tie in decimals is not lost to binary rounding
    reach = half_unit(printed) * (1 + 1e-12) + 1e-15
    return math.isfinite(value) and abs(float(printed) - value) <= reach


@dataclass(frozen=True)
class FormulaClaim:
    """A printed formula and what became of it when it was computed; see `judge_formula`.

    Parameters
    ----------
    where : str
        Document and section, as ``"D0 4.2"``.
    what : str
        What the formula is said to be.
    verdict : str
        ``"holds"``, ``"fails"``, ``"cannot be computed"`` or ``"convention differs"``.
    found : str
        What the check found, in numbers.
    note : str
        The reason, and what is right.
    check : str
        What decides.
    """

    where: str
    what: str
    verdict: str
    found: str
    note: str = ""
    check: str = SIDE_BY_SIDE

    def __str__(self) -> str:
        reason = f"; {self.note}" if self.note else ""
        text = _indented(f"{self.verdict}: {self.found}{reason}")
        return f"{self.where} {self.what}\n{text}"


def _indented(text: str) -> str:
    indent = 4 * " "
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def judge_formula(
    where: str,
    what: str,
    printed: Callable[[], Any],
    right: Any,
    note: str = "",
    *,
    conventions: Mapping[str, Any] | None = None,
    rtol: float = 1e-6,
    check: str = SIDE_BY_SIDE,
) -> FormulaClaim:
    """Compute a formula as it is printed, and compare it with what is right.

    Parameters
    ----------
    where, what, note, check : str
        See `FormulaClaim`.
    printed : callable
        Computes the formula as printed. One that raises, or gives a value that is not finite,
        cannot be computed, and the reason is kept.
    right : array
        What it should give, computed in another way.
    conventions : mapping of str to array, optional
        What it should give under other conventions, each under its name.
    rtol : float
        Largest difference that agrees, relative to the largest entry of ``right``.

    Examples
    --------
    >>> from minigrad.check.claims import judge_formula
    >>> print(judge_formula("D2 steps", "slope of tanh at 1", lambda: 1 - 0.7616, 0.41997,
    ...                     "it is 1 - tanh^2"))
    D2 steps slope of tanh at 1
        fails: off by 43 %; it is 1 - tanh^2
    >>> judge_formula("D9", "half the slope", lambda: 1.0, 2.0, conventions={"J / 2": 1.0}).found
    'right for J / 2'
    """
    verdict, found = _judge(printed, right, conventions or {}, rtol)
    return FormulaClaim(where, what, verdict, found, note, check)


def _judge(
    printed: Callable[[], Any], right: Any, conventions: Mapping[str, Any], rtol: float
) -> tuple[str, str]:
    """Return the verdict, and what was found."""
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(printed(), dtype=float)
    except CANNOT as error:
        return NOT_COMPUTABLE, reason_of(error)
    if not np.isfinite(value).all():
        return NOT_COMPUTABLE, "it gives NaN or infinity"
    off = _distance(value, right)
    if off <= rtol:
        return HOLDS, f"agrees to {off:.0e}" if off else "agrees exactly"
    for name, other in conventions.items():
        if _distance(value, other) <= rtol:
            return CONVENTION, f"right for {name}"
    if math.isfinite(off):
        percent = f"{100 * off:.2g}" if off < 0.1 else f"{100 * off:.0f}"
        return FAILS, f"off by {percent} %" if off < 100 else f"off by a factor of {off:.1e}"
    wanted = np.shape(right)
    if value.shape == wanted:
        return FAILS, f"gives {float(np.abs(value).max()):.3g} where the right value is 0"
    return FAILS, f"shape {_shape(value.shape)}, not {_shape(wanted)}"


def reason_of(error: Exception) -> str:
    """Return what an error says, in a line; where it was raised is left out."""
    first, *_ = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {first}"


def _distance(value: Any, right: Any) -> float:
    """Return the largest difference over the largest right entry; infinite if shapes differ."""
    right = np.asarray(right, dtype=float)
    if value.shape != right.shape:
        return math.inf
    largest, off = float(np.abs(right).max()), float(np.abs(value - right).max())
    return off / largest if largest else (math.inf if off else 0.0)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "of one number"


def tally(claims: Iterable[Claim | FormulaClaim]) -> str:
    """Return how many claims there are of each verdict, in a line.

    Examples
    --------
    >>> from minigrad.check.claims import Claim, tally
    >>> tally([Claim("D0", "a", "0.5", 0.5), Claim("D0", "b", "0.5", 0.7)])
    'claims: 1 holds, 1 fails'
    """
    counts = Counter(claim.verdict for claim in claims)
    return "claims: " + (", ".join(f"{counts[v]} {v}" for v in VERDICTS if counts[v]) or "none")
