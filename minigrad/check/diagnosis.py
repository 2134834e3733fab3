"""Why two derivatives differ: a wrong rule, a kink or tie, lost digits, or no value at all.

The difference quotients are taken again at other steps. Their jump from left to right shrinks
with the step where the function is smooth, and stays where it has a kink. Where the quotients at
neighbouring steps agree they can be trusted, and backward is held to those.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from minigrad.check.compare import Directions, Tolerance, Whole, culprit
from minigrad.check.flat import FlatFunction, Vector, one_hot
from minigrad.check.kinks import find_kink
from minigrad.check.probe import Probe, Quotients

FAILED, UNDEFINED, KINK, IMPRECISE = "failed", "undefined", "kink", "imprecise"
GRAVITY = (FAILED, UNDEFINED, KINK, IMPRECISE)
LOOKED_AT = 1000  # mismatches that are examined before the gravest so far is the verdict
KINKS = 20  # elements that are taken out of one direction, for the same reason


class Finding(NamedTuple):
    """What is behind one mismatch."""

    verdict: str
    what: str
    analytic: float
    numeric: float
    text: str
    k: int = -1  # the input element


class Line(NamedTuple):
    """One derivative that is examined: along which line, of which outputs, in words."""

    probe: Probe
    weights: Vector
    place: str  # the element that moves, as "input 0[1] = 0"
    x: float  # its size


# ---- which mismatch to report -------------------------------------------------------------------


def diagnose_whole(found: Whole, excess: Vector, tolerance: Tolerance) -> tuple[Finding, int]:
    """Return the gravest finding, and how many mismatches were not looked at."""
    probes: dict[int, Probe] = {}
    findings: list[Finding] = []
    wrong = np.flatnonzero(excess > 1)
    # The largest first, but v^T J last: a single derivative says more
    order = np.lexsort((-excess.ravel()[wrong], wrong < found.flat.n))
    for i in wrong[order][:LOOKED_AT]:
        row, k = divmod(int(i), found.flat.n)
        if k not in probes:
            probes[k] = Probe(found.flat, one_hot(found.flat.n, k))
        line = _element(found.flat, probes[k], k, found.weights(row))
        pair = float(found.analytic[row, k]) + 0.0, float(found.numeric[row, k]) + 0.0
        verdict, text = examine(line, *pair, found.flat, tolerance)
        findings.append(Finding(verdict, found.what(row, k), *pair, text, k))
        if verdict == FAILED:
            break
    return gravest(findings), len(wrong) - len(findings)


def diagnose_direction(found: Directions, i: int, tolerance: Tolerance) -> Finding:
    """Trace a direction that disagrees to its elements, and return the gravest finding."""
    flat, v, u = found.flat, found.v, found.u[i].copy()
    findings: list[Finding] = []
    while len(findings) < KINKS and u.any():
        pair = float(found.pulled @ u), float(v @ flat.push(u))
        if tolerance.excess(*pair) <= 1:
            break
        k = culprit(found, u)
        alone = float(found.pulled[k]) + 0.0, float(v @ flat.push(one_hot(flat.n, k)))
        if tolerance.excess(*alone) <= 1:  # spread over many elements, each within its tolerance
            line = Line(Probe(flat, u), v, "the point", float(np.abs(flat.x[u != 0]).max()))
            verdict, text = examine(line, *pair, flat, tolerance)
            findings.append(Finding(verdict, found.what(i), *pair, text))
            break
        line = _element(flat, Probe(flat, one_hot(flat.n, k)), k, v)
        verdict, text = examine(line, *alone, flat, tolerance)
        findings.append(Finding(verdict, flat.name(k), *alone, text))
        if verdict == FAILED:
            break
        u[k] = 0.0
    return gravest(findings)


def gravest(findings: list[Finding]) -> Finding:
    """Return the first finding of the gravest verdict."""
    return min(findings, key=lambda finding: GRAVITY.index(finding.verdict))


def _element(flat: FlatFunction, probe: Probe, k: int, weights: Vector) -> Line:
    x = float(flat.x[k])
    return Line(probe, weights, f"{flat.element(k)} = {x:.9g}", abs(x))


# ---- what is behind it --------------------------------------------------------------------------


def examine(
    line: Line, analytic: float, numeric: float, flat: FlatFunction, tolerance: Tolerance
) -> tuple[str, str]:
    """Return the verdict on a mismatch, and the reason in words."""
    if not line.probe.finite(flat.eps, line.weights):
        return UNDEFINED, _border(line, flat)
    if not math.isfinite(analytic):
        if not line.probe.finite(flat.eps, np.ones(flat.m)):  # 0 * inf, of another output's making
            return UNDEFINED, _border(line._replace(weights=np.ones(flat.m)), flat)
        return FAILED, (
            f"backward gives {analytic:g} where the values have a derivative: often 0 * inf, in "
            "the branch of a where() that is not taken; put a safe input into that branch"
        )
    if flat.method == "complex":  # exact to the last digits, and only smooth functions have it
        return FAILED, ""
    kink = find_kink(line.probe, line.weights, flat.eps)
    if kink is None:
        return _other_steps(line, analytic, flat, tolerance)
    near, wide = kink.near, line.probe.at(flat.eps, line.weights)
    if not kink.here:
        allowed = tolerance.atol + tolerance.rtol * abs(near.central)
        if abs(analytic - near.central) > allowed + 2 * (near.noise + abs(near.jump)):
            return FAILED, ""
        return KINK, (
            f"within eps of {line.place} there is {kink.kind}: with eps={flat.eps:g} the quotient "
            f"is {wide.left:.6g} on the left and {wide.right:.6g} on the right, with "
            f"eps={near.step:g} it is {near.central:.6g} on both, which agrees. Pass that eps, or "
            f"{_shift(line, flat)}"
        )
    text = (
        f"{line.place} is at {kink.kind}: the derivative is {near.left:.6g} from the left and "
        f"{near.right:.6g} from the right, and backward's {analytic:.6g} "
    )
    low, high = sorted((near.left, near.right))
    slack = 1e-3 * (abs(low) + abs(high))
    if low - slack <= analytic <= high + slack:
        return KINK, (
            f"{text}is between them: a convention, not an error. To check beside it, "
            f"{_shift(line, flat)}"
        )
    return FAILED, f"{text}is not between them"


def _shift(line: Line, flat: FlatFunction) -> str:
    """Return the advice to move an element, by a distance at which there is no kink."""
    for times in (10, -10, 100, -100, 1000, -1000):
        moved = Probe(flat, line.probe.u, times * flat.eps)
        if moved.finite(flat.eps, line.weights) and not find_kink(moved, line.weights, flat.eps):
            return f"shift that element by {times * flat.eps:g}"
    return "choose another point"


def _border(line: Line, flat: FlatFunction) -> str:
    """Say why there is no difference quotient."""
    if not np.isfinite(flat.value[line.weights != 0]).all():
        return "fn itself is NaN or infinite here: choose a point inside its domain"
    for shrink in (10, 100, 1000):
        if line.probe.finite(flat.eps / shrink, line.weights):
            return (
                f"fn is NaN or infinite within eps of {line.place}, near the border of its "
                f"domain: pass eps={flat.eps / shrink:g}, or move the element inwards"
            )
    return (
        f"{line.place} is on the border of fn's domain, beyond which fn is NaN or infinite: move "
        "the element inwards"
    )


def _other_steps(
    line: Line, analytic: float, flat: FlatFunction, tolerance: Tolerance
) -> tuple[str, str]:
    """Hold backward to the difference quotient at the step that can be trusted."""
    best, error = trusted(line, flat.eps, tolerance)
    allowed = tolerance.atol + tolerance.rtol * abs(best.central)
    if not abs(analytic - best.central) <= allowed + 2 * error:
        return FAILED, ""
    text = f"the difference quotient with eps={flat.eps:g} is not to be trusted: "
    if best.single:
        text += "fn's values are all float32 numbers; keep it in float64 throughout. "
    elif best.step < flat.eps:
        text += f"within eps of {line.place} fn bends too strongly. "
    else:
        size = abs(float(flat.value[line.weights != 0] @ line.weights[line.weights != 0]))
        text += (
            f"at {line.place} fn is about {size:.3g}, whose last digit the step hardly changes; "
            "scale input and output to about 1. "
        )
    if error <= allowed and best.step != flat.eps:
        return IMPRECISE, f"{text}With eps={best.step:g} it is {best.central:.9g}, which agrees"
    where = f"The best of other steps, {best.step:g}, gives {best.central:.6g} +- {error:.1g}"
    return IMPRECISE, f"{text}{where}, which agrees"


def trusted(line: Line, eps: float, tolerance: Tolerance) -> tuple[Quotients, float]:
    """Return the quotients nearest to eps among the steps whose neighbours agree with them."""
    top = max(100 * eps, 1e-2 * max(1.0, line.x))
    steps = [eps * 10.0**i for i in range(-3, math.ceil(math.log10(top / eps)) + 1)]
    ladder = [line.probe.at(step, line.weights) for step in steps]
    central = np.array([math.nan, *(q.central for q in ladder), math.nan])
    gaps = np.abs(np.diff(central))
    gaps[np.isnan(gaps)] = math.inf
    errors = np.minimum(gaps[:-1], gaps[1:]) + [q.noise for q in ladder]
    errors[np.isnan(errors)] = math.inf
    allowed = tolerance.atol + tolerance.rtol * np.abs(central[1:-1])
    good = np.flatnonzero((errors <= 2 * errors.min()) | (errors <= allowed / 2))
    i = min(good, key=lambda i: abs(math.log10(steps[i] / eps)))
    return ladder[i], float(errors[i])
