"""From the numbers that were compared to a verdict, the derivative it is about, and the reasons."""

from __future__ import annotations

import numpy as np

from minigrad.check.compare import Directions, Tolerance, Whole
from minigrad.check.diagnosis import FAILED, diagnose_direction, diagnose_whole
from minigrad.check.flat import Vector, one_hot
from minigrad.check.kinks import find_kink
from minigrad.check.patterns import pattern
from minigrad.check.probe import Probe
from minigrad.check.report import Mismatch, Row


def judge(
    found: Whole | Directions, excess: Vector, tolerance: Tolerance
) -> tuple[str, Mismatch, list[str]]:
    """Return the verdict, the derivative that it is about, and the reason in words."""
    flat, i = found.flat, int(excess.argmax())
    numeric, analytic = np.asarray(found.numeric), np.asarray(found.analytic)
    if excess.flat[i] <= 1:
        what = found.what(*divmod(i, flat.n)) if isinstance(found, Whole) else found.what(i)
        pair = float(analytic.flat[i]), float(numeric.flat[i])
        worst = Mismatch(what, *pair, float(excess.flat[i]))
        if max(np.abs(analytic).max(), np.abs(numeric).max()) <= tolerance.atol:
            return "vacuous", worst, [
                "every derivative looked at is 0, so a rule that loses terms would pass: choose "
                "another cotangent (not all ones) or another point"
            ]  # fmt: skip
        return "passed", worst, _agreeing_kink(found)
    notes, recorded = [], any(y.requires_grad for y in flat.outputs)
    if isinstance(found, Whole):
        finding, left = diagnose_whole(found, excess, tolerance)
        if finding.verdict == FAILED and recorded and not finding.text:
            notes += [pattern(found, finding.k)]
        elif left and finding.verdict != FAILED:
            notes += [f"{left} more mismatches were not looked into"]
    else:
        finding = diagnose_direction(found, i, tolerance)
    if not recorded:
        notes.append("fn's result has no graph: it was detached, or computed under no_grad")
    pair = finding.analytic, finding.numeric
    worst = Mismatch(finding.what, *pair, float(tolerance.excess(*pair)))
    return finding.verdict, worst, [note for note in (finding.text, *notes) if note]


def _agreeing_kink(found: Whole | Directions) -> list[str]:
    """Say where backward agrees with the difference from both sides, but not with either."""
    if not isinstance(found, Whole) or found.jump is None:
        return []
    flat, jump = found.flat, np.abs(found.jump)
    place = int(jump.argmax()) if jump.size else 0
    if not jump.size or jump.flat[place] <= 1e-4 * np.abs(found.slope).max():
        return []
    j, k = divmod(place, flat.n)
    kink = find_kink(Probe(flat, one_hot(flat.n, k)), one_hot(flat.m, j), flat.eps)
    if kink is None or not kink.here:
        return []
    return [
        f"{flat.name(k, j)} is at {kink.kind}, {kink.near.left:.6g} from the left and "
        f"{kink.near.right:.6g} from the right: that backward has their mean is a convention"
    ]


def rows_of(found: Whole | Directions, excess: Vector, size: Vector) -> list[Row]:
    """Return what was found for each leaf."""
    flat, rows = found.flat, []
    if isinstance(found, Whole):
        worst, largest = excess.max(axis=0), size.max(axis=0)
    for i, (leaf, span) in enumerate(zip(flat.leaves, flat.spans(), strict=True)):
        if isinstance(found, Whole):
            mine, sizes, count = worst[span], largest[span], len(excess) * leaf.numel()
        else:
            at = [d for d, number in enumerate(found.leaf) if number == i]
            mine, sizes, count = excess[at], size[at], len(at)
        top = (float(sizes.max()), float(mine.max())) if count else (0.0, 0.0)
        rows.append(Row(flat.subject.names[i], leaf.shape, count, *top))
    return rows


def nothing_shown(verdict: str, rows: list[Row], tolerance: Tolerance) -> list[str]:
    """Say for which inputs nothing was shown, since all their derivatives are 0."""
    names = [row.name for row in rows if row.compared and row.largest <= tolerance.atol]
    if verdict == "vacuous" or not names or len(names) == len(rows):
        return []
    return [
        f"every derivative by {', '.join(names)} is 0, so nothing is shown for "
        f"{'it' if len(names) == 1 else 'them'}"
    ]
