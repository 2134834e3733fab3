"""What a gradient check says: its verdict, the worst derivative, and what the numbers suggest."""

from __future__ import annotations

import math
import textwrap
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
class Row:
    """What was found for one input or parameter.

    Parameters
    ----------
    name : str
        ``"input 0"``, or a parameter's name in the module's state dict.
    shape : tuple of int
        Its shape.
    compared : int
        The number of derivatives by it that were compared.
    largest : float
        The largest of them in absolute value, numeric.
    excess : float
        The largest difference, in tolerances.
    """

    name: str
    shape: tuple[int, ...]
    compared: int
    largest: float
    excess: float


@dataclass(frozen=True)
class GradcheckReport:
    """What a gradient check found; true exactly when ``verdict`` is ``"passed"``.

    Parameters
    ----------
    verdict : str
        ``"passed"``: all that was compared agrees, and not all of it is 0.
        ``"failed"``: backward is wrong.
        ``"undefined"``: fn or its difference quotient is NaN or infinite here.
        ``"kink"``: it agrees but at kinks, ties or jumps, where backward's value lies between
        the derivatives from the left and from the right.
        ``"imprecise"``: it agrees but where the difference quotient itself is not to be trusted,
        and with better steps it agrees there too, as far as they can tell.
        ``"random"``: two calls of fn differ, so that there is no derivative to compare.
        ``"vacuous"``: all derivatives that were looked at are 0, so that nothing was shown.
    method : str
        How the numeric derivative was taken.
    compared : int
        The number of derivatives that were compared.
    worst : Mismatch or None
        The derivative that the verdict is about; if all agree, the one nearest to its tolerance;
        None if none was compared.
    seed : int
        Draws the same cotangent and directions again.
    notes : tuple of str
        What the numbers suggest, in words.
    rows : tuple of Row
        What was found for each input and parameter.
    check : str
        ``"gradcheck"`` or ``"gradgradcheck"``.
    """

    verdict: str
    method: str
    compared: int
    worst: Mismatch | None
    seed: int
    notes: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    check: str = "gradcheck"

    def __bool__(self) -> bool:
        return self.verdict == "passed"

    def __str__(self) -> str:
        """Return the report as a small table.

        Examples
        --------
        >>> from minigrad.check import GradcheckReport, Mismatch, Row
        >>> worst = Mismatch("d output 0[0] / d input 0[2]", 4.0, 2.0, 1e6)
        >>> rows = (Row("input 0", (3,), 9, 2.0, 1e6),)
        >>> print(GradcheckReport("failed", "central difference", 9, worst, 0, (), rows))
        gradcheck: failed (9 derivatives, central difference, seed 0)
                     shape  compared  largest  error / tolerance
          input 0    [3]           9        2              1e+06
          worst      d output 0[0] / d input 0[2]
          analytic   4
          numeric    2
          ratio      2, the difference is 1e+06 tolerances
        """
        how = f"{self.compared} derivatives, {self.method}, seed {self.seed}"
        width = max([10, *(len(row.name) for row in self.rows)])
        lines = [f"{self.check}: {self.verdict} ({how})", *self._table(width)]
        if self.worst is not None:
            w = self.worst
            lines += [
                f"  {'worst':{width}} {w.what}",
                f"  {'analytic':{width}} {w.analytic:.12g}",
                f"  {'numeric':{width}} {w.numeric:.12g}",
                f"  {'ratio':{width}} {w.ratio:.6g}, the difference is {w.excess:.3g} tolerances",
            ]
        for note in self.notes:
            lines += textwrap.wrap(note, 96, initial_indent="  note: ", subsequent_indent="    ")
        return "\n".join(lines)

    def _table(self, width: int) -> list[str]:
        if not self.rows:
            return []
        shapes = [str(list(row.shape)) for row in self.rows]
        across = max([5, *map(len, shapes)])
        head = f"  {'':{width}} {'shape':{across}}  compared   largest  error / tolerance"
        return [head] + [
            f"  {row.name:{width}} {shape:{across}}  {row.compared:8}  {row.largest:8.3g}  "
            f"{row.excess:17.3g}"
            for row, shape in zip(self.rows, shapes, strict=True)
        ]

    __repr__ = __str__
