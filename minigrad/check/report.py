"""What a gradient check says: its verdict, the worst derivative, and what the numbers suggest."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Mismatch:
    """The derivative that differs most for its tolerance: which one, and its two values."""

    what: str
    analytic: float
    numeric: float
    excess: float  # the difference, in tolerances

    @property
    def ratio(self) -> float:
        """Analytic over numeric value: 2 for a factor 2, -1 for a sign, 0 for a lost term."""
        if self.numeric:
            return self.analytic / self.numeric
        return math.copysign(math.inf, self.analytic) if self.analytic else 1.0


@dataclass(frozen=True)
class GradcheckReport:
    """What a gradient check found; true exactly when ``verdict`` is ``"passed"``.

    Parameters
    ----------
    verdict : {"passed", "failed", "vacuous"}
        Vacuous: the derivative is 0 wherever it was looked at, so that nothing was shown.
    method : str
        How the numeric derivative was taken.
    compared : int
        The number of derivatives that were compared.
    worst : Mismatch or None
        The derivative nearest to its tolerance, or furthest beyond it; None if none was compared.
    seed : int
        Draws the same cotangent and directions again.
    notes : tuple of str
        What the numbers suggest, in words.
    """

    verdict: str
    method: str
    compared: int
    worst: Mismatch | None
    seed: int
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.verdict == "passed"

    def __str__(self) -> str:
        """Return the report as a small table.

        Examples
        --------
        >>> from minigrad.check import GradcheckReport, Mismatch
        >>> worst = Mismatch("d output[0] / d input 0[2]", 4.0, 2.0, 1e6)
        >>> print(GradcheckReport("failed", "central difference, eps 1e-06", 9, worst, 0))
        gradcheck failed: 9 derivatives, central difference, eps 1e-06, seed 0
          worst     d output[0] / d input 0[2]
          analytic  4
          numeric   2
          ratio     2, difference 1e+06 tolerances
        """
        head = f"gradcheck {self.verdict}: {self.compared} derivatives, {self.method}"
        lines = [f"{head}, seed {self.seed}"]
        if self.worst is not None:
            w = self.worst
            lines += [
                f"  worst     {w.what}",
                f"  analytic  {w.analytic:.12g}",
                f"  numeric   {w.numeric:.12g}",
                f"  ratio     {w.ratio:.6g}, difference {w.excess:.3g} tolerances",
            ]
        return "\n".join([*lines, *(f"  note: {n}" for n in self.notes)])

    __repr__ = __str__
